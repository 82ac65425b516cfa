import typing

from . import linalg as linalg
from . import metric as metric
from . import rank as rank
from . import select as select
from . import testing as testing
from . import weigh as weigh

def _build_facts() -> dict[str, typing.Any]: ...
def _default_threads() -> int: ...
def _set_blas(addresses: dict[str, typing.Any]) -> None: ...
