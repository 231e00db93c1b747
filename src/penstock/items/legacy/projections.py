"""AttributesToGet: whole attributes, by their names as they are: a dot in one is a dot."""

from collections.abc import Sequence

from penstock.base.errors.legacy import attribute_asked_twice
from penstock.items.expressions.paths import PathTree
from penstock.items.expressions.projections import Projection
from penstock.items.values import check_attribute_name


def projection_of(names: Sequence[str]) -> Projection:
    """Return the projection of the attributes `names`; ValidationException where one is twice."""
    tree: PathTree = {}
    for name in names:
        check_attribute_name(name)
        if name in tree:
            raise attribute_asked_twice(name)
        tree[name] = None
    return Projection(tree)
