// Command benchrun trains and measures what suites describe. Run it with -h.
package main
