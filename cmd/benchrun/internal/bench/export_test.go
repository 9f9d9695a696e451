package bench

// KeepPlans has only n plans kept until the returned function is called.
func KeepPlans(n int) (restore func()) {
	old := keptPlans
	keptPlans = n
	return func() { keptPlans = old }
}
