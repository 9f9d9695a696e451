package ir

// HasRule reports whether the op has a derivative.
func HasRule(o Op) bool { return rules[o] != nil }
