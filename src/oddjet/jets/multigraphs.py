"""The multigraphs of energy flow polynomials with up to six edges, and how their sums are carried out.

Names of columns are made of a graph's edges: the table is EnergyFlow's (Komiske, Metodiev, Thaler, JHEP 04 (2018) 013;
connected graphs, then disconnected ones), so that a table has the same columns whoever computed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

Graph = Sequence[tuple[int, int]]
Edges = tuple[tuple[int, int], ...]

# One word a graph, two hexadecimal digits an edge.
_TABLE = """
    01 0101 010101 01010101 0101010101 010101010101 0102 010202 01020202 01010202 0101010102 0101010202 010202020202
    010101010202 010101020202 010212 01020212 0102121212 0102021212 010202020212 010101021212 010102021212 010203
    01020203 0102030303 0102020303 010202020203 010101020303 010102020303 010213 01020213 01010213 0102131313
    0101010213 0102021313 0101020213 010202020213 010101010213 010101021313 010202021313 010102020213 010102021313
    01021203 0102121203 0101021203 0102120303 010101021203 010212121203 010212030303 010202120303 010212120303
    010102121203 010102021203 01021323 0102131323 010101021323 010202132323 010102132323 0102120313 010102120313
    010212030313 010212031323 01020304 0102030304 010101020304 010202030404 01020314 0102030314 0101020314
    0102031414 010101020314 010203030314 010203141414 010202031414 010102030314 010102031414 010202030314 01021324
    0102131324 0101021324 010101021324 010213131324 010202132424 010213132424 010102021324 010102132424 0102120304
    010102120304 010212030304 010212120304 0102120314 010102120314 010212030314 010212120314 0102120334 010102120334
    010212030334 010212120334 010212033434 0102132304 010102132304 010213232304 010213230404 0102132434 010102132434
    010212031304 010212031324 010212030434 010212031434 010213230434 0102030405 010102030405 0102030415 010102030415
    010203040415 010203041515 0102031415 010102031415 010203141415 0102031425 010102031425 010203141425 010203031425
    0102031445 010102031445 010203141445 010203031445 010203144545 0102132435 010102132435 010213242435 010213132435
    010212030405 010212030415 010212030435 010212031425 010212031435 010212033435 010212033445 010213230405
    010213230415 010213230435 010213230445 010213243405 010213243545 010203040506 010203040516 010203041516
    010203041526 010203041556 010203141526 010203142536 010203142546 010203144546 010203144556 010213243546 0123
    012323 01232323 01012323 0101232323 0123232323 010123232323 012323232323 010101232323 012324 01012324 01232424
    01232434 0101012324 0101232424 0101232434 0123242424 0123232424 0123242434 010101232424 010101232434
    010101012324 010123242424 010123232424 010123242434 012323232324 012323232424 012324343434 012324243434 012345
    01232425 01232435 01023435 01234545 0123242425 0123242435 0123232435 0123243425 0123243545 0101232425 0101232435
    0102343535 0102343545 0123454545 0123234545 010123242425 010123242435 010123232435 010123243425 010123243545
    010101232425 010101232435 012324252525 012324242525 012324353535 012323232435 012324243535 012323242435
    012324343425 012323243425 012324342525 012324353545 012324342535 010202343535 010202343545 010212343545
    010234353535 010234343535 010234353545 010123234545 012323454545 012345454545 01234546 0123242526 0123242536
    0123243546 0102343536 0102343546 0123234546 0123454646 0123454656 010123242526 010123242536 010123243546
    012324252526 012324252536 012323242536 012324253636 012324353546 012323243546 012324342526 012324342536
    012324342556 012324354526 012324354656 010202343536 010202343546 010212343536 010212343546 010234353536
    010234353546 010234343546 010234354536 010234354656 012323454646 012323454656 012345464646 012345454646
    012345464656 012323234546 010123234546 01234567 0123454647 0123454657 0123245657 0123456767 012324252627
    012324252637 012324253637 012324253647 012324253667 012324354657 010234353637 010234353647 010234354657
    010203454647 010203454657 010213454657 012323454647 012323454657 012345464647 012345464657 012345454657
    012345465647 012345465767 012324565757 012324565767 010123245657 012345456767 012345676767 0123456768
    012345464748 012345464758 012345465768 012324565758 012324565768 010234356768 012345676868 012345676878
    012345456768 0123456789 012345676869 012345676879 012345467879 012345678989 01234567898a 0123456789ab
"""

# What a step of a sum does; see `Step`.
SUM, LEAF, PAIR, FIX, FIXED_LEAF, FIXED_PAIR = range(6)


def graphs_up_to(degree: int) -> list[Edges]:
    """List the graphs with 1 to `degree` edges (6 at most), disconnected ones too, in EnergyFlow's order."""
    words = (word for word in _TABLE.split() if len(word) <= 2 * degree)
    return [
        tuple((int(word[place], 16), int(word[place + 1], 16)) for place in range(0, len(word), 2)) for word in words
    ]


class Step(NamedTuple):
    """One step of carrying out the sum of a graph, where each vertex has a weight and each edge a matrix.

    Attributes
    ----------
    kind : int
        `SUM` over a vertex without edges; `LEAF`, sum over a vertex with one neighbour, whose weight it changes;
        `PAIR`, sum over a vertex with two, between which it makes an edge, or changes the one there is; `FIX` a
        vertex to each constituent in turn; `FIXED_LEAF` and `FIXED_PAIR`, the edge of a fixed vertex to one that is
        not, or is.
    vertex, first, second : int
        The vertex that goes and its neighbours.
    to_first, to_second, between : int
        Slots of matrices: rows of `to_first` are of the vertex, but for `PAIR`, where they are of `first`; rows of
        `to_second` are of the vertex; rows of `between` are of `first`, and it is -1 where there is no such edge yet.
    result : int
        `PAIR`: slot of the edge that is made, rows of `first`; the next slot has the transposed one.
    """

    kind: int
    vertex: int
    first: int = -1
    second: int = -1
    to_first: int = -1
    to_second: int = -1
    between: int = -1
    result: int = -1


class Plan(NamedTuple):
    """How the sum of one graph is carried out.

    Attributes
    ----------
    vertices : int
    steps : list of Step
        Those from `loop` on are done for each choice of the fixed vertices.
    loop, fixed : int
        First step of the loop, and the number of fixed vertices.
    slots : int
        Matrices that are needed, powers of the distance among them.
    """

    vertices: int
    steps: list[Step]
    loop: int
    fixed: int
    slots: int


def parts(graph: Graph) -> list[Edges]:
    """Split a graph into connected ones, each with its vertices numbered from 0 in their order."""
    left, found = list(graph), []
    while left:
        reached = set(left[0])
        while any((a in reached) != (b in reached) for a, b in left):
            reached |= {vertex for edge in left if reached & set(edge) for vertex in edge}
        number = {vertex: place for place, vertex in enumerate(sorted(reached))}
        found.append(tuple((number[a], number[b]) for a, b in left if a in reached))
        left = [edge for edge in left if edge[0] not in reached]
    return found


def multiplicities(graph: Graph) -> dict[tuple[int, int], int]:
    """Count the edges between each two vertices, the lower one first."""
    counts: dict[tuple[int, int], int] = {}
    for a, b in graph:
        pair = (min(a, b), max(a, b))
        counts[pair] = counts.get(pair, 0) + 1
    return counts


def plan_of(graph: Graph, powers: int) -> Plan:
    """Find steps of least cost: leaves, then paths, then vertices to fix, those with most neighbours first.

    Parameters
    ----------
    graph
        Edges, repeated ones raising the power of that distance; vertices numbered from 0 without a gap.
    powers
        Slots 0 to `powers` - 1 hold the first, second, ... power of the distance.
    """
    slots: dict[tuple[int, int], int] = {}
    for (a, b), count in multiplicities(graph).items():
        slots[a, b] = slots[b, a] = count - 1
    left = {vertex for pair in slots for vertex in pair}
    vertices = len(left)
    before, used = _reduced(left, slots, powers)
    fixed, rest = _vertices_to_fix(left, slots)
    if not fixed:
        return Plan(vertices, before, len(before), 0, used)
    steps = [Step(FIX, vertex) for vertex in fixed]
    for vertex in fixed:
        for other in sorted(_neighbours(vertex, slots)):
            kind = FIXED_PAIR if other in fixed else FIXED_LEAF
            steps.append(Step(kind, vertex, other, to_first=slots.pop((vertex, other))))
            del slots[other, vertex]
    after, used = _reduced(rest, slots, used)
    return Plan(vertices, before + steps + after, len(before), len(fixed), used)


def _neighbours(vertex: int, pairs: Iterable[tuple[int, int]]) -> set[int]:
    return {b for a, b in pairs if a == vertex}


def _reduced(left: set[int], slots: dict[tuple[int, int], int], used: int) -> tuple[list[Step], int]:
    """Sum over the vertices with at most two neighbours while there are any; takes them out of `left` and `slots`."""
    steps = []
    while left:
        vertex = min(left, key=lambda candidate: (len(_neighbours(candidate, slots)), -candidate))
        near = sorted(_neighbours(vertex, slots))
        if len(near) > 2:
            break
        if not near:
            steps.append(Step(SUM, vertex))
        elif len(near) == 1:
            steps.append(Step(LEAF, vertex, near[0], to_first=slots[vertex, near[0]]))
        else:
            a, b = near
            between = slots.get((a, b), -1)
            steps.append(Step(PAIR, vertex, a, b, slots[a, vertex], slots[vertex, b], between, used))
            slots[a, b], slots[b, a] = used, used + 1
            used += 2
        for other in near:
            del slots[vertex, other], slots[other, vertex]
        left.remove(vertex)
    return steps, used


def _vertices_to_fix(left: set[int], slots: dict[tuple[int, int], int]) -> tuple[list[int], set[int]]:
    """Choose vertices without which the others can be reduced; give them and the others."""
    fixed: list[int] = []
    rest, edges = set(left), dict(slots)
    while rest:
        vertex = max(rest, key=lambda candidate: (len(_neighbours(candidate, edges)), -candidate))
        fixed.append(vertex)
        rest.remove(vertex)
        edges = {pair: slot for pair, slot in edges.items() if vertex not in pair}
        _reduced(rest, edges, 0)
    return fixed, left - set(fixed)
