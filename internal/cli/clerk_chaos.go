package cli

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// chaosCommand is `tenantry clerk chaos`.
type chaosCommand struct {
	Drop      share         `help:"Share of the events that are never delivered." placeholder:"10%" unset:"none"`
	Duplicate share         `help:"Share of the events that are delivered again later, under the same id." placeholder:"20%" unset:"none"`
	Reorder   bool          `help:"Deliver what waits in any order." unset:"false"`
	Delay     time.Duration `help:"Let each event wait for a random time up to this." placeholder:"5s" unset:"none"`
	Off       bool          `help:"Deliver as it should be again, and what waits at once." unset:"false"`
	Dir       string        `help:"The folder that the server runs in." variable:"TENANTRY_DIR" placeholder:"FOLDER" unset:"the current folder"`
}

// share is a part of all events: 10% is 0.1.
type share float64

// UnmarshalText takes a percentage between 0% and 100%.
func (s *share) UnmarshalText(text []byte) error {
	number, found := strings.CutSuffix(string(text), "%")
	value, err := strconv.ParseFloat(number, 64)
	if !found || err != nil || !(value >= 0 && value <= 100) {
		return errors.New("must be a percentage between 0% and 100%, such as 10%")
	}
	*s = share(value / 100)
	return nil
}

// String is the percentage, without digits that came from dividing by 100.
func (s share) String() string {
	return strconv.FormatFloat(float64(s)*100, 'g', 6, 64) + "%"
}

// Validate is kong's hook once the flags are read.
func (c *chaosCommand) Validate() error {
	disturbs := c.Drop > 0 || c.Duplicate > 0 || c.Reorder || c.Delay != 0
	switch {
	case c.Delay < 0 || c.Delay > 0 && c.Delay < time.Millisecond:
		return errors.New("--delay must be 1ms or more")
	case c.Off && disturbs:
		return errors.New("--off goes with no other flag")
	case !c.Off && !disturbs:
		return errors.New("say what is to go wrong (--drop, --duplicate, --reorder, --delay), or --off")
	}
	return nil
}

type chaosRequest struct {
	Drop      share `json:"drop"`
	Duplicate share `json:"duplicate"`
	Reorder   bool  `json:"reorder"`
	DelayMS   int64 `json:"delayMs"`
}

type chaosAnswer struct {
	On         bool `json:"on"`
	Dropped    int  `json:"dropped"`
	Duplicated int  `json:"duplicated"`
}

// Run asks the local Clerk for it and says what is in force.
func (c *chaosCommand) Run(ctx context.Context, out *console) error {
	if err := out.variables.problems.err(); err != nil {
		return err
	}
	server, err := connect(c.Dir, useDashboard)
	if err != nil {
		return err
	}
	var answer chaosAnswer
	if c.Off {
		if err := server.call(ctx, http.MethodDelete, "/chaos", nil, &answer); err != nil {
			return err
		}
		_, err := fmt.Fprintf(out.stdout, "webhooks are delivered as they should be; since the server's start %d were dropped and %d sent again\n",
			answer.Dropped, answer.Duplicated)
		return err
	}
	request := chaosRequest{Drop: c.Drop, Duplicate: c.Duplicate, Reorder: c.Reorder, DelayMS: c.Delay.Milliseconds()}
	if err := server.call(ctx, http.MethodPost, "/chaos", request, &answer); err != nil {
		return err
	}
	if !answer.On {
		return errors.New("the server answered that nothing is disturbed")
	}
	_, err = fmt.Fprintf(out.stdout, "webhooks go wrong from now on: %s; --off ends it\n", c.describe())
	return err
}

func (c *chaosCommand) describe() string {
	var parts []string
	if c.Drop > 0 {
		parts = append(parts, c.Drop.String()+" dropped")
	}
	if c.Duplicate > 0 {
		parts = append(parts, c.Duplicate.String()+" sent again")
	}
	if c.Reorder {
		parts = append(parts, "in any order")
	}
	if c.Delay > 0 {
		parts = append(parts, "up to "+c.Delay.String()+" late")
	}
	return strings.Join(parts, ", ")
}
