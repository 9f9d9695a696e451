package results

import "strings"

// ShiftKeys are the name keys of what is measured on a corrupted test set: fog-3 is the corruption
// fog at severity 3. Another test set of the same classes, such as cifar10.1, has no severity.
func ShiftKeys(name string) []Pair {
	if i := strings.LastIndexByte(name, '-'); i >= 0 {
		return []Pair{{Key: "corruption", Value: name[:i]}, {Key: "severity", Value: name[i+1:]}}
	}
	return []Pair{{Key: "corruption", Value: name}}
}
