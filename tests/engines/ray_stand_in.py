"""What of Ray this library calls, in one process: tasks run when somebody waits for them, in any order, and no object is shared.

`test_ray.py` holds the same library against Ray itself, where that is installed.
"""

import pickle
import random
from types import ModuleType, SimpleNamespace


class ObjectRef:
    """A reference to an object in the store, or to what a task will make of its arguments."""

    def __init__(self, task=None, image=None):
        self.task, self.image, self.cancelled = task, image, False


ObjectRef.__module__ = "ray"  # by which `source` knows it


class TaskCancelledError(Exception):
    """Raised for those who ask for the result of a task that was cancelled."""


class Dataset:
    """Blocks that keep their order only where that was asked for."""

    def __init__(self, ray, blocks):
        self.ray, self.blocks = ray, list(blocks)
        self.context = SimpleNamespace(execution_options=SimpleNamespace(preserve_order=False))

    def to_arrow_refs(self):
        ordered = self.context.execution_options.preserve_order
        return [self.ray.put(block) for block in (self.blocks if ordered else reversed(self.blocks))]


Dataset.__module__ = "ray.data.dataset"


def stand_in(seed=0):
    """A module `ray`; `begun` lists its calls of `init`, `running` is whether it is between that and `shutdown`."""
    ray = ModuleType("ray")
    chance = random.Random(seed)
    ray.begun, ray.running, ray.tasks = [], False, []

    def init(**options):
        ray.begun.append(options)
        ray.running = True

    def shutdown():
        ray.running = False

    def put(value):
        return ObjectRef(image=pickle.dumps(value))

    def remote(function):
        def begin(*arguments):
            reference = ObjectRef((function, arguments))
            ray.tasks.append(reference)
            return reference

        return SimpleNamespace(remote=begin)

    def get(reference):
        if reference.cancelled:
            raise TaskCancelledError
        if reference.image is None:
            function, arguments = reference.task
            reference.image = pickle.dumps(function(*(get(a) if isinstance(a, ObjectRef) else a for a in arguments)))
        return pickle.loads(reference.image)

    def wait(references, num_returns=1, timeout=None, fetch_local=True):
        """One more of these is done, whichever, or the time is up."""
        left = [reference for reference in references if reference.image is None]
        if left and chance.random() < 0.7:
            get(chance.choice(left))
        done = [reference for reference in references if reference.image is not None]
        return done[:num_returns], [reference for reference in references if reference not in done[:num_returns]]

    def cancel(reference):
        reference.cancelled = True

    ray.ObjectRef, ray.Dataset = ObjectRef, lambda blocks: Dataset(ray, blocks)
    ray.init, ray.shutdown, ray.put, ray.get, ray.remote, ray.wait, ray.cancel = init, shutdown, put, get, remote, wait, cancel
    return ray
