package clerk

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// form reads the fields of a body, as query does those of a query.
type form struct {
	query
	fields map[string]json.RawMessage
}

// readForms reads the body of a request: one JSON object, or a list of them
// where the request makes many things. Null, which Clerk's client sends where
// it has nothing to say, and no body at all are an object without fields.
func readForms(w http.ResponseWriter, r *http.Request, many bool) ([]*form, error) {
	if r.ContentLength == 0 && !many {
		return []*form{newForm(nil)}, nil
	}
	if many {
		var items []map[string]json.RawMessage
		if err := readJSON(w, r, &items); err != nil {
			return nil, err
		}
		forms := make([]*form, len(items))
		for i, fields := range items {
			forms[i] = newForm(fields)
		}
		return forms, nil
	}
	var fields map[string]json.RawMessage
	err := readJSON(w, r, &fields)
	return []*form{newForm(fields)}, err
}

func newForm(fields map[string]json.RawMessage) *form {
	f := &form{fields: fields}
	f.values = make(map[string][]string, len(fields))
	for name := range fields {
		f.values[name] = nil
	}
	return f
}

// read reads a field into what its type is. A null is like a field that is not
// there: it says that nothing is asked for.
func (f *form) read(name string, into any, must string) {
	f.ignore(name)
	if raw, given := f.fields[name]; given && decodeExactly(raw, into) != nil {
		f.refuse("form_param_value_invalid", name, name+" must be "+must+".")
	}
}

func (f *form) text(name string) (value *string) {
	f.read(name, &value, "text")
	return value
}

// needed is a text that must be there.
func (f *form) needed(name string) string {
	value := given(f.text(name))
	if value == "" && f.wrong == nil {
		f.wrong = missing(name)
	}
	return value
}

func (f *form) list(name string) (values *[]string) {
	f.read(name, &values, "a list of text")
	return values
}

func (f *form) flag(name string) (value *bool) {
	f.read(name, &value, "true or false")
	return value
}

// number is within least and most.
func (f *form) number(name string, least, most int) (value *int) {
	must := "a whole number of at least " + strconv.Itoa(least)
	if most < maxNumber {
		must += " and at most " + strconv.Itoa(most)
	}
	f.read(name, &value, must)
	if value != nil && (*value < least || *value > most) {
		f.refuse("form_param_value_invalid", name, name+" must be "+must+".")
	}
	return value
}

// maxNumber is what Clerk's numbers can be.
const maxNumber = 1<<31 - 1

// when is a time in RFC 3339.
func (f *form) when(name string) *time.Time {
	text := f.text(name)
	if text == nil {
		return nil
	}
	at, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		f.refuse("form_param_format_invalid", name, name+" must be a time as in RFC 3339.")
	}
	return &at
}

// metadata is an object.
func (f *form) metadata(name string) (value *map[string]any) {
	f.read(name, &value, "an object")
	return value
}

// metadataChange reads both fields of metadata.
func (f *form) metadataChange() metadataChange {
	return metadataChange{public: f.metadata("public_metadata"), private: f.metadata("private_metadata")}
}

// given is a text, "" where it is not given.
func given(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}
