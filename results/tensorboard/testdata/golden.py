# Writes job.tfevents with TensorBoard's own record writer and messages:
# the job of tensorboard_test.go, encoded by somebody else's code.
#
#	pip install tensorboard && python golden.py
from tensorboard.compat.proto.event_pb2 import Event
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

START = 1700000000.5


def scalars(t, step, **values):
    value = [Summary.Value(tag=k, simple_value=v) for k, v in values.items()]
    return Event(wall_time=t, step=step, summary=Summary(value=value))


with open("job.tfevents", "wb") as f:
    w = RecordWriter(f)
    for e in [
        Event(wall_time=START, file_version="brain.Event:2"),
        scalars(START + 1.5, 600, **{"training/epoch": 1, "training/loss": 0.25, "training/seconds": 1.5}),
        scalars(START + 3, 1200, **{"training/epoch": 2, "training/loss": 0, "training/test-error": 0.02, "training/seconds": 3}),
        scalars(START + 3, 0, sparsity=0.98),
        scalars(START + 3, 0, **{"sparsity/layer=fc1": 0.99}),
        scalars(START + 3, 8, **{"error/predict=sample": 0.0172, "nll/predict=sample": -0.061}),
    ]:
        w.write(e.SerializeToString(deterministic=True))
    w.flush()
