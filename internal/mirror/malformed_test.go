package mirror

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tenantry/tenantry/internal/dbtest"
	"github.com/tenantry/tenantry/store"
)

// spoilers make an event that nobody can apply of a good one: by its bytes, or by its members.
var spoilers = []func(random *rand.Rand, whole []byte, event, data object) []byte{
	func(r *rand.Rand, whole []byte, _, _ object) []byte { return whole[:r.IntN(len(whole))] },
	func(r *rand.Rand, whole []byte, _, _ object) []byte {
		return append(whole, pick(r, []string{"}", "{}", "\x00", "\xff", ","})...)
	},
	func(r *rand.Rand, whole []byte, _, _ object) []byte {
		return bytes.Replace(whole, []byte(`"data"`), pick(r, [][]byte{{'"', 0, '"'}, {'"', 0xff}, []byte("'data'"), []byte("data")}), 1)
	},
	func(r *rand.Rand, _ []byte, _, _ object) []byte {
		return pick(r, [][]byte{nil, []byte("null"), []byte("[]"), []byte("7"), []byte(`"text"`), {0}, {0xef, 0xbb, 0xbf}, []byte("{}")})
	},
	func(r *rand.Rand, whole []byte, _, _ object) []byte {
		deep := pick(r, []string{"[", `{"a":`})
		return bytes.Replace(whole, []byte(`"data":`), []byte(`"data":`+strings.Repeat(deep, 10_001+r.IntN(90_000))), 1)
	},
	func(r *rand.Rand, whole []byte, _, _ object) []byte { // the last of two keys counts
		return append(whole[:len(whole)-1], pick(r, []string{`,"data":null}`, `,"data":[]}`, `,"type":""}`, `,"timestamp":1e400}`})...)
	},
	func(r *rand.Rand, _ []byte, event, data object) []byte {
		data["id"] = pick(r, []any{
			nil, "", 7, true,
			object{},
			[]int{1},
			"org 1", "../org_1", "org_1\n", "'; --", "\x00", "org_\u2028", strings.Repeat("x", 129),
			json.Number("99999999999999999999"), json.RawMessage(`"\ud800"`), json.RawMessage(strings.Repeat("[", 500) + strings.Repeat("]", 500)),
		})
		return encode(event)
	},
	func(_ *rand.Rand, _ []byte, event, data object) []byte {
		delete(data, "id")
		return encode(event)
	},
	func(r *rand.Rand, _ []byte, event, data object) []byte {
		// Each kind reads one of the two at least.
		unusable := pick(r, []any{-1, "soon", true, object{}, []int{1}, json.Number("1e300"), json.Number("99999999999999999999"), "1.7e12 "})
		data["created_at"], data["updated_at"] = unusable, unusable
		return encode(event)
	},
	func(r *rand.Rand, _ []byte, event, _ object) []byte {
		event["timestamp"] = pick(r, []any{-1, "soon", false, object{}, json.Number("1e300"), json.Number("-0.5"), json.Number("99999999999999999999")})
		return encode(event)
	},
	func(r *rand.Rand, _ []byte, event, _ object) []byte {
		event["type"] = pick(r, []any{nil, "", 7, true, object{}, []string{"user.created"}, strings.Repeat("x", 101)})
		return encode(event)
	},
	func(r *rand.Rand, _ []byte, event, _ object) []byte {
		event["data"] = pick(r, []any{nil, 7, "text", true, []object{{"id": "org_1"}}, object{}})
		return encode(event)
	},
	func(_ *rand.Rand, _ []byte, event, _ object) []byte {
		event["instance_id"] = "ins_another"
		return encode(event)
	},
	func(r *rand.Rand, _ []byte, event, _ object) []byte { // well formed, and more than PostgreSQL puts into an index
		event["type"] = "role.created"
		event["data"] = object{"id": fmt.Sprint("role_", r.Int64()), "key": noise(9000), "created_at": 1782900060003}
		return encode(event)
	},
}

func encode(event object) []byte {
	body, err := json.Marshal(event)
	if err != nil {
		panic(err)
	}
	return body
}

func decodeObject(body []byte) (event, data object) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&event); err != nil {
		panic(err)
	}
	return event, event["data"].(object)
}

// odd writes a good event in a way that Clerk does not, and that means the same.
func odd(random *rand.Rand, body []byte) []byte {
	event, data := decodeObject(body)
	for _, field := range []string{"name", "first_name", "last_name"} {
		if text, ok := data[field].(string); ok {
			data[field] = "\x00" + text
		}
	}
	data["unknown"] = json.RawMessage(strings.Repeat("[", 200) + strings.Repeat("]", 200))
	event["more"] = json.Number("1e999")
	whole := encode(event)
	return append([]byte(pick(random, []string{"{", `{"type":"nonsense","data":null,"timestamp":1,`, "{\"\xff\":\"\xff\",", " \n{"})), whole[1:]...)
}

// ProveMalformed sends events that nobody can apply among good ones. There are no workers here, so that a good event is
// applied as it is delivered or not at all.
func ProveMalformed(t *testing.T, open Endpoint) {
	f := newFixture(t, dbtest.Config(t))
	s := newSenders(t, open(t, f.Mirror, endpointSecret))
	random := rand.New(rand.NewPCG(23, 42))
	worlds, good, events := histories(random, scale(6, 60), 0)
	isGood := map[string]bool{}
	for i, m := range good {
		isGood[m.id] = true
		if len(m.id)%2 == 0 { // every delivery of an id has the same body
			good[i].body = odd(rand.New(rand.NewPCG(1, uint64(len(m.body)))), m.body)
		}
	}
	spoilt := make([]message, scale(500, 10_000))
	var dead []string
	for i := range spoilt {
		whole := pick(random, good).body
		event, data := decodeObject(whole)
		id := fmt.Sprintf("msg_dead%05d", i)
		spoilt[i] = message{id, spoilers[i%len(spoilers)](random, bytes.Clone(whole), event, data)}
		dead = append(dead, id)
	}
	// Half of the dead letters lie in the inbox before the first good event comes.
	mixed := append(append([]message{}, good...), spoilt[len(spoilt)/2:]...)
	shuffle(random, mixed)
	s.send(t, spoilt[:len(spoilt)/2])
	each, all := s.send(t, mixed)

	var delays []time.Duration
	for i, m := range mixed {
		if isGood[m.id] {
			delays = append(delays, each[i])
		}
	}
	half, most, longest := slowest(delays)
	t.Logf("%d dead letters; %d deliveries of %d good events among them in %s, applied within %s (half), %s (99 %%), %s (all)",
		len(spoilt), len(good), events, all.Round(time.Millisecond), half, most, longest)

	if got, want := f.value(t, "SELECT count(*) FILTER (WHERE state = 'done') || ' of ' || count(*) FROM clerk.inbox WHERE state <> 'dead'"), fmt.Sprint(events, " of ", events); got != want {
		t.Errorf("%s good events are applied, want %s", got, want)
	}
	listed, err := f.store.InboxEvents(t.Context(), store.InboxFilter{State: store.EventDead, Limit: len(spoilt) + events})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range listed {
		got = append(got, e.ID)
	}
	if diff := cmp.Diff(dead, slices.Sorted(slices.Values(got))); diff != "" {
		t.Errorf("dead letters (-sent +listed)\n%s", diff)
	}
	f.serveReads(t, worlds)
	copied := f.load(t)
	for _, w := range worlds {
		if diff := w.difference(copied.only(w.prefix)); diff != "" {
			t.Errorf("%s, %s (-Clerk +mirror)\n%s", w.prefix, w.name, diff)
		}
	}
	f.noDeadlock(t)
	s.noPanic(t, f)
}
