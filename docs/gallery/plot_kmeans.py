"""
Clusters of colours
===================

K-means on the pixels of a photograph: sixteen colours instead of some hundred thousand. The same seed gives the same bits
for any number of threads.
"""

from matplotlib import pyplot as plt
from sklearn.datasets import load_sample_image

from steelyard import select

image = load_sample_image("china.jpg")[::2, ::2].astype("float32") / 255
found = select.kmeans(image.reshape(-1, 3), 16, rng=0)
print(found)
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
figure.suptitle("A photograph, and the same in sixteen colours")
left.imshow(image)
right.imshow(found.centers[found.labels].reshape(image.shape))
for axes in (left, right):
    axes.axis("off")
