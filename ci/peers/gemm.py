# Times C = op(A)·op(B) of numpy: M K N, one JSON object of GFLOP/s by case on
# the last line. NumPy hands transposed views to the BLAS as they are.
import json, sys, time
import numpy as np

m, k, n = map(int, sys.argv[1:4])
secs = float(sys.argv[4])
rng = np.random.default_rng(1)
out = {}
for case in ("NN", "NT", "TN", "TT"):
    a = rng.random((k, m) if case[0] == "T" else (m, k), dtype=np.float32)
    b = rng.random((n, k) if case[1] == "T" else (k, n), dtype=np.float32)
    a, b = (a.T if case[0] == "T" else a), (b.T if case[1] == "T" else b)
    c = np.empty((m, n), np.float32)
    start, calls = time.perf_counter(), 0
    while calls < 1 or time.perf_counter() - start < secs:
        np.matmul(a, b, out=c)
        calls += 1
    calls = max(1, int(calls * secs / (time.perf_counter() - start)))
    best = 0
    for _ in range(3):
        start = time.perf_counter()
        for _ in range(calls):
            np.matmul(a, b, out=c)
        best = max(best, 2e-9 * m * k * n * calls / (time.perf_counter() - start))
    out[case] = best
print(json.dumps(out))
