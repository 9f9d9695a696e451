package atomicfile

import "io/fs"

// mode is that of the files written, less what the umask takes.
const mode fs.FileMode = 0o644

// Write replaces path by a file with the content.
func Write(path string, content []byte) error {
	p, err := New(path)
	if err != nil {
		return err
	}
	defer p.Cleanup()
	if _, err := p.Write(content); err != nil {
		return err
	}
	return p.CloseAtomicallyReplace()
}
