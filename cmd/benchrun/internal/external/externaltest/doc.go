// Package externaltest is programs for the tests of external methods: some that do as the protocol
// says, and some that break it in each way that can be thought of. A test's own binary runs as one
// of them, so that no other program is needed: its TestMain calls [Main] first, and [Command] is
// the command that asks for one.
package externaltest
