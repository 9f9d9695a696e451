package cli

import (
	"errors"
	"io"
	"os"

	"golang.org/x/term"
)

// Output is the standard output of a command. It keeps the first error of a
// write: what lays out a table does not say that the device is full.
type Output struct {
	w   io.Writer
	err error
}

// NewOutput makes an Output that writes to w.
func NewOutput(w io.Writer) *Output { return &Output{w: w} }

func (o *Output) Write(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(p)
	o.err = err
	return n, err
}

// Result is how the command ends that ended with err: an output that could not
// be written is an error, and no negative answer hides it.
func (o *Output) Result(err error) error {
	var negative Negative
	if o.err != nil && (err == nil || errors.As(err, &negative)) {
		return o.err
	}
	return err
}

// Terminal returns the columns of the terminal behind w, ok if it is one.
func Terminal(w io.Writer) (columns int, ok bool) {
	if o, is := w.(*Output); is {
		w = o.w
	}
	f, is := w.(*os.File)
	if !is || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	columns, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		columns = 0 // not known
	}
	return columns, true
}
