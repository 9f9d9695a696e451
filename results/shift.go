package results

import "strings"

// ShiftKeys are the name keys of what is measured on a corrupted test set: fog-3 is the corruption
// fog at severity 3.
func ShiftKeys(name string) []Pair {
	kind, severity := name, ""
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		kind, severity = name[:i], name[i+1:]
	}
	return []Pair{{Key: "corruption", Value: kind}, {Key: "severity", Value: severity}}
}
