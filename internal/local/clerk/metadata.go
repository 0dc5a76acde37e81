package clerk

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
)

// mostMetadata is how many bytes one field of metadata may have, as in Clerk.
const mostMetadata = 8 << 10

// metadata is a JSON object, compact, in which nothing is null. Clerk sends {}
// rather than null where there is none. It is replaced, never written to.
type metadata []byte

// MarshalJSON is the object itself.
func (m metadata) MarshalJSON() ([]byte, error) {
	if len(m) == 0 {
		return []byte("{}"), nil
	}
	return m, nil
}

// UnmarshalJSON keeps an object as it would be sent.
func (m *metadata) UnmarshalJSON(data []byte) error {
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return err
	}
	*m = nil
	if text := compact.String(); text != "{}" && text != "null" {
		*m = compact.Bytes()
	}
	return nil
}

// metadataChange is what to do with the metadata of an object. A field that is
// nil stays as it is.
type metadataChange struct {
	public, private *map[string]any
	replace         bool // else what is given is merged into what is there
}

// apply changes both fields. It returns a *apiError for more than Clerk keeps.
func (c metadataChange) apply(public, private *metadata) error {
	for _, field := range []struct {
		name string
		with *map[string]any
		of   *metadata
	}{{"public_metadata", c.public, public}, {"private_metadata", c.private, private}} {
		if field.with == nil {
			continue
		}
		into := map[string]any{}
		if !c.replace && len(*field.of) > 0 {
			if err := decodeExactly(*field.of, &into); err != nil {
				return err
			}
		}
		made, err := json.Marshal(merged(into, *field.with))
		if err != nil {
			return err
		}
		if len(made) > mostMetadata {
			return &apiError{
				status: http.StatusUnprocessableEntity, code: "form_param_value_invalid", message: "is invalid",
				long: field.name + " may have up to " + strconv.Itoa(mostMetadata) + " bytes.", param: field.name,
			}
		}
		*field.of = nil
		if string(made) != "{}" {
			*field.of = made
		}
	}
	return nil
}

// merged is into with another object's keys, objects within merged too. A null
// removes its key.
func merged(into, with map[string]any) map[string]any {
	for key, value := range with {
		switch value := value.(type) {
		case nil:
			delete(into, key)
		case map[string]any:
			within, is := into[key].(map[string]any)
			if !is {
				within = map[string]any{}
			}
			into[key] = merged(within, value)
		default:
			into[key] = value
		}
	}
	return into
}

// decodeExactly keeps numbers as they were written.
func decodeExactly(data []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber()
	return decoder.Decode(into)
}
