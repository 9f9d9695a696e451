package npy

import (
	"archive/zip"
	"bytes"
	"hash/crc32"
	"slices"
	"strings"
	"testing"

	"bayesbench/internal/npy/npytest"
)

// testdata/stored.npz and testdata/packed.npz are by numpy:
//
//	x = np.arange(24).reshape(2, 3, 4)
//	arrays = dict(x=x.astype('u1'), y=np.array([3, 1], dtype='i8'), f=np.asfortranarray(x.astype('f4') / 8))
//	np.savez('stored.npz', **arrays); np.savez_compressed('packed.npz', **arrays)
func TestArchive(t *testing.T) {
	for _, path := range []string{"testdata/stored.npz", "testdata/packed.npz"} {
		z, err := OpenArchive(path)
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		if want := []string{"f", "x", "y"}; !slices.Equal(z.Names(), want) || !z.Has("x") || z.Has("z") {
			t.Errorf("%s: arrays %q, want %q", path, z.Names(), want)
		}
		numbers := func(name string) []float64 {
			a, err := z.Open(name)
			if err != nil {
				t.Fatal(err)
			}
			defer a.Close()
			if _, err := a.Float64s(); err != nil {
				t.Fatal(err)
			}
			if err := a.Rewind(); err != nil { // once more
				t.Fatal(err)
			}
			all, err := a.Float64s()
			if err != nil {
				t.Fatal(err)
			}
			return all
		}
		x, f := numbers("x"), numbers("f")
		for i := range 24 {
			if x[i] != float64(i) || f[i] != float64(i)/8 {
				t.Errorf("%s: number %d is %v and %v", path, i, x[i], f[i])
			}
		}
		if y := numbers("y"); !slices.Equal(y, []float64{3, 1}) {
			t.Errorf("%s: y is %v", path, y)
		}
		_, err = z.Open("ff")
		if want := path + `: no array "ff"; did you mean "f"?`; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

// archive is a zip archive of members whose headers say what they are told to.
func archive(t testing.TB, members ...zip.FileHeader) func(content ...[]byte) []byte {
	return func(content ...[]byte) []byte {
		t.Helper()
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for i, m := range members {
			w, err := z.CreateRaw(&m)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

// header is what a zip archive says of a member that it holds unpacked.
func header(name string, content []byte) zip.FileHeader {
	return zip.FileHeader{Name: name, CRC32: crc32.ChecksumIEEE(content), CompressedSize64: uint64(len(content)), UncompressedSize64: uint64(len(content))}
}

func TestBadArchives(t *testing.T) {
	good := npytest.File(npytest.Dict("|u1", "(4,)"), []byte("abcd"))
	is := header("a.npy", good)
	wrongSum, huge, vast, long, encrypted := is, is, is, is, is
	wrongSum.CRC32++
	huge.UncompressedSize64 = 1 << 40
	vast.UncompressedSize64 = 1<<64 - 1
	long.UncompressedSize64++
	encrypted.Method = 99
	// A header that the claimed size bears out, in an archive that holds a few bytes of it.
	cut := npytest.File(npytest.Dict("|u1", "(30000,)"))
	short := header("a.npy", cut)
	short.UncompressedSize64 += 30000
	for _, v := range []struct {
		file []byte
		want string
	}{
		{nil, "not a valid zip file: want an archive that numpy.savez wrote"},
		{good, "not a valid zip file"},
		{archive(t)(), "a zip archive without an array"},
		{archive(t, header("x.txt", nil))(nil), "a zip archive without an array"},
		{archive(t, is, is)(good, good), `two arrays are called "a"`},
		{archive(t, wrongSum)(good), "a.npz: a: zip: checksum error"},
		{archive(t, huge)(good), "1099511627776 bytes packed into"},
		{archive(t, vast)(good), "18446744073709551615 bytes packed into"},
		{archive(t, long)(good), "1 bytes left over after an array of shape [4]"},
		{archive(t, encrypted)(good), "zip: unsupported compression algorithm"},
		{archive(t, short)(cut), "a.npz: a: unexpected EOF"},
	} {
		_, err := readArchive(v.file)
		if err == nil || !strings.Contains(err.Error(), v.want) || !strings.Contains(err.Error(), "a.npz") {
			t.Errorf("found %v, want %q", err, v.want)
		}
	}
}

// readArchive reads all arrays of an archive.
func readArchive(file []byte) (map[string][]float64, error) {
	z, err := NewArchive("a.npz", bytes.NewReader(file), int64(len(file)))
	if err != nil {
		return nil, err
	}
	all := map[string][]float64{}
	for _, name := range z.Names() {
		a, err := z.Open(name)
		if err != nil {
			return nil, err
		}
		defer a.Close()
		if all[name], err = a.Float64s(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Whatever the bytes, reading ends with an error or with the numbers of the arrays, in memory that
// the size of the archive bounds: deflate packs 1032 bytes into one at most.
func FuzzArchive(f *testing.F) {
	good := npytest.File(npytest.Dict("|u1", "(4,)"), []byte("abcd"))
	f.Add(archive(f, header("a.npy", good))(good))
	f.Add(archive(f, header("a.npy", good), header("b.npy", good))(good, good))
	huge := header("a.npy", good)
	huge.UncompressedSize64 = 1 << 62
	f.Add(archive(f, huge)(good))
	packed := archiveOf(f, "a.npy", npytest.File(npytest.Dict("<f8", "(2000,)"), make([]float64, 2000)))
	f.Add(packed)
	f.Add(packed[:len(packed)/2])
	f.Fuzz(func(t *testing.T, file []byte) {
		z, err := NewArchive("a.npz", bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		for _, name := range z.Names()[:min(len(z.Names()), 4)] {
			checkReading(t, maxRatio*(len(file)+1), func() (*Array, error) { return z.Open(name) })
		}
	})
}

// archiveOf is a packed archive of one member.
func archiveOf(t testing.TB, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
