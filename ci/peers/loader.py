# Times PyTorch's DataLoader with torchvision on photographs: folder, side,
# CPU seconds. Decode, random resized crop, flip, normalise, batches of 32, in
# this one process. Prints images by second of CPU time.
import json, resource, sys
import torch
from torch.utils.data import DataLoader
from torchvision import transforms
from torchvision.datasets import ImageFolder

folder, side, secs = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
torch.set_num_threads(1)

def cpu():
    r = resource.getrusage(resource.RUSAGE_SELF)
    return r.ru_utime + r.ru_stime

data = ImageFolder(folder, transforms.Compose([
    transforms.RandomResizedCrop(side), transforms.RandomHorizontalFlip(), transforms.ToTensor(),
    transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))]))
loader = DataLoader(data, batch_size=32, shuffle=True)
for x, y in loader:  # warm up
    pass
n, start = 0, cpu()
while cpu() - start < secs:
    for x, y in loader:
        n += len(y)
print(json.dumps(n / (cpu() - start)))
