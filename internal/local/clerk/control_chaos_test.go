package clerk

import (
	"strings"
	"testing"
)

func TestChaosIsForgottenAtARestart(t *testing.T) {
	t.Parallel()
	c, _, _ := openChaotic(t, chaos{Drop: 1, Reorder: true}, nil)
	again := openIn(t, strings.TrimSuffix(c.dir, "/clerk"))
	if view := again.viewChaos(); view != (chaosView{}) {
		t.Errorf("%+v", view)
	}
}

func TestChaosThatMakesNoSense(t *testing.T) {
	t.Parallel()
	c := openNew(t)
	a := serve(t, c)
	var view chaosView
	a.ok("POST", chaosPath, object{"drop": 0.5, "delayMs": 20}, &view)
	for _, test := range []struct {
		body object
		code string
		says string
	}{
		{object{"drop": 1.01}, "form_param_value_invalid", "drop must be between 0 and 1"},
		{object{"drop": -0.1}, "form_param_value_invalid", "drop"},
		{object{"duplicate": 20}, "form_param_value_invalid", "duplicate must be between 0 and 1"},
		{object{"delayMs": -1}, "form_param_value_invalid", "delayMs"},
		{object{"delayMs": 3_600_001}, "form_param_value_invalid", "3600000"},
		{object{"delayMs": 1.5}, "request_body_invalid", "delayMs"},
		{object{"drop": "10%"}, "request_body_invalid", "drop"},
		{object{"delay": "5s"}, "request_body_invalid", "delay"},
	} {
		status := map[string]int{"form_param_value_invalid": 422, "request_body_invalid": 400}[test.code]
		if long := a.refused(a.request("POST", chaosPath, test.body), status, test.code); !strings.Contains(long, test.says) {
			t.Errorf("%v: %q does not say %q", test.body, long, test.says)
		}
	}
	if now := c.chaosNow(); now != (chaos{Drop: 0.5, DelayMs: 20}) {
		t.Errorf("a refused change left %+v", now)
	}
	// What is left out is off.
	a.ok("POST", chaosPath, object{"reorder": true}, &view)
	if view != (chaosView{On: true, chaos: chaos{Reorder: true}}) {
		t.Errorf("%+v", view)
	}
	a.ok("POST", chaosPath, object{}, &view)
	if view != (chaosView{}) {
		t.Errorf("%+v", view)
	}
	r := a.request("POST", chaosPath, object{"drop": 1})
	r.Header.Set("Origin", "https://evil.example")
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	a.refused(r, 403, "origin_invalid")
}
