// Package fetch finds the files of a data set on this machine, or gets them, and checks each
// against its published hash.
//
// A [Set] names the files. [Set.Locate] looks for them in this order, and writes nowhere but in the
// cache:
//
//  1. Options.Dir, then Options.Dir/<name>; a set that is the user's own nowhere else if Dir is
//     given;
//  2. each folder in the environment variable BAYESBENCH_DATA (a list, as PATH), under <name>;
//  3. the cache: $XDG_CACHE_HOME/bayesbench/<name>, or the same below os.UserCacheDir;
//  4. the set's [Provider]s in turn: packages of ordinary package managers ([GoModule],
//     [NPMPackage], [DebianPackage]), then the public mirror ([Mirror], [Archive]).
//
// Whatever a server, an archive or a folder holds, no more is read or written than the published
// files have bytes, and nothing outside the cache is written.
package fetch
