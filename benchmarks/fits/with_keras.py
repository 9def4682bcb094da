"""One epoch of the post's Keras model with `fit`; a peer of `benchmarks/throughput.py`.

    KERAS_BACKEND=torch python benchmarks/fits/with_keras.py DATA.npz SETTINGS

SETTINGS is a JSON object: `recipe` (the post's: only batch size and learning rate are read),
`seed` and `warm_up` (steps). Prints one line of JSON; needs only NumPy, Keras 3 and a backend.
"""

import json
import sys
import time
from importlib.metadata import version
from typing import Any

import keras
import numpy as np
from keras import layers


def build_model(learning_rate: float) -> Any:
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 5, activation="relu"),
            layers.BatchNormalization(),
            layers.Conv2D(64, 5, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Conv2D(128, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.1),
            layers.Dense(128, activation="relu"),
            layers.BatchNormalization(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate),
        loss="sparse_categorical_crossentropy",
        metrics=["accuracy"],
    )
    return model


def backend_version() -> dict[str, str]:
    name = keras.backend.backend()
    # TensorFlow's package has several names, its module one.
    return {name: version(name) if name == "torch" else __import__(name).__version__}


def main() -> None:
    settings = json.loads(sys.argv[2])
    size = settings["recipe"]["batch_size"]
    with np.load(sys.argv[1], allow_pickle=False) as data:
        images = data["x_train"][..., None].astype("float32") / 255
        labels = data["y_train"].astype("int64")
    keras.utils.set_random_seed(settings["seed"])
    model = build_model(settings["recipe"]["learning_rate"])
    some = settings["warm_up"] * size
    model.fit(images[:some], labels[:some], batch_size=size, verbose=0)
    started = time.perf_counter()
    history = model.fit(images, labels, batch_size=size, verbose=0)
    row = {
        "seconds": round(time.perf_counter() - started, 3),
        "loss": float(history.history["loss"][-1]),
        "versions": {"keras": keras.__version__} | backend_version(),
    }
    print(json.dumps(row))


if __name__ == "__main__":
    main()
