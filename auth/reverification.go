package auth

// The levels of a Reverification: which factor must have been verified lately.
const (
	LevelFirstFactor  = "first_factor"
	LevelSecondFactor = "second_factor"
	LevelMultiFactor  = "multi_factor"
)

// Reverification asks that the viewer has proved who they are less than AfterMinutes ago. The zero value asks nothing;
// one with an unknown level or without minutes never holds.
type Reverification struct {
	Level        string
	AfterMinutes int
}

// Clerk's presets.
var (
	ReverificationStrictMFA = Reverification{LevelMultiFactor, 10}
	ReverificationStrict    = Reverification{LevelSecondFactor, 10}
	ReverificationModerate  = Reverification{LevelSecondFactor, 60}
	ReverificationLax       = Reverification{LevelSecondFactor, 1440}
)

// presets are Clerk's names for some of them.
var presets = []struct {
	name string
	is   Reverification
}{
	{"strict_mfa", ReverificationStrictMFA},
	{"strict", ReverificationStrict},
	{"moderate", ReverificationModerate},
	{"lax", ReverificationLax},
}

// ReverificationNamed returns the preset that Clerk calls so; found is false where there is none.
func ReverificationNamed(name string) (r Reverification, found bool) {
	for _, preset := range presets {
		if preset.name == name {
			return preset.is, true
		}
	}
	return Reverification{}, false
}

// Name returns Clerk's name for a preset, or "" for any other.
func (r Reverification) Name() string {
	for _, preset := range presets {
		if preset.is == r {
			return preset.name
		}
	}
	return ""
}

// holds judges the minutes since the first and second factor, -1 for one never verified. Without them it is false. Who
// has no second factor is judged by the first.
func (r Reverification) holds(ages *[2]int) bool {
	if ages == nil || ages[0] < -1 || ages[1] < -1 {
		return false
	}
	fresh := func(age int) bool { return age != -1 && age < r.AfterMinutes }
	first, second := fresh(ages[0]), fresh(ages[1])
	switch r.Level {
	case LevelFirstFactor:
		return first
	case LevelSecondFactor:
		return second || ages[1] == -1 && first
	case LevelMultiFactor:
		return first && (second || ages[1] == -1)
	}
	return false
}
