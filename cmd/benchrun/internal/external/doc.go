// Package external runs a method that is another program, by the protocol of
// docs/external-methods.md: a [Folder] gives it arrays and takes its predictions, a [Program] is
// its process, with its limits and its end. folder.go lays the folder out and job.go says what
// stands in job.json; take.go takes predictions while the program writes them, and scalars.go what
// it reports; program.go starts and watches the process, and family_linux.go and its like find the
// processes that it started and end them.
//
// The program comes from outside and is not believed: what it writes is opened without following
// links and without waiting, no array is read whose shape is not the one that is wanted, what it
// prints and stores is bounded, and nothing that it started stays. It is not kept from the files of
// the user who started it, to whom it belongs.
package external
