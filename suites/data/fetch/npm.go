package fetch

import "context"

// NPMPackage is a package that npm can fetch.
type NPMPackage struct{ Name, Version string }

func (p NPMPackage) String() string { return "npm package " + p.Name + "@" + p.Version }

// Pack fetches the package's tarball into dir.
func (p NPMPackage) Pack(ctx context.Context, dir string) (tarball string, err error) {
	if _, err := run(ctx, dir, nil, "npm", "pack", "--silent", "--ignore-scripts", p.Name+"@"+p.Version); err != nil {
		return "", err
	}
	return only(dir, "*.tgz")
}
