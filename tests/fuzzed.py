"""Random problem definitions for the fuzz test: sound ones, and sound ones with one fault put into them.

A definition is a ``Draft``: plain parts that ``Draft.problem`` makes a problem of. Every fault of ``FAULTS`` changes a draft, or parts of it,
such that it must be refused.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field

import torch
from hypothesis import strategies as st

import pinnsine as ps

SIZES = (1e-3, 0.5, 1.0, 7.0, 1e3)


@dataclass
class Draft:
    """The arguments of a problem, each made when the problem is."""

    domain: Callable
    fields: list
    residuals: list  # functions of s
    conditions: list  # functions of the domain
    unknowns: list = field(default_factory=list)
    form: str = "one"
    weight: object = None
    fault: str = ""

    def problem(self) -> ps.Problem:
        domain = self.domain()
        equations = [ps.Residual(f"equation {k}", self._formed(f), weight=self.weight) for k, f in enumerate(self.residuals)]
        conditions = [make(domain) for make in self.conditions if domain is not None]
        return ps.Problem(domain, [f() for f in self.fields], [*equations, *conditions], unknowns=[u() for u in self.unknowns])

    def _formed(self, function):
        if self.form == "tuple":
            return lambda s: (function(s), 2 * function(s))
        if self.form == "dict":
            return lambda s: {"a": function(s), "b": {"c": function(s)}}
        if self.form == "vector":
            return lambda s: ps.Vector(function(s), function(s))
        return function


DOMAINS = {
    "interval": (("x",), lambda a, h: ps.Interval("x", a, a + h)),
    "interval and time": (("x", "t"), lambda a, h: ps.Interval("x", a, a + h) * ps.Time(0, h)),
    "time": (("t",), lambda a, h: ps.Time(a, a + h)),
    "rectangle": (("x", "y"), lambda a, h: ps.Rectangle(x=(a, a + h), y=(a, a + 3 * h))),
    "box": (("x", "y", "z"), lambda a, h: ps.Box(x=(a, a + h), y=(0, h), z=(-h, h))),
    "family": (("x", "k"), lambda a, h: ps.Interval("x", a, a + h) * ps.Parameter("k", 1, 2)),
    "disk": (("x", "y"), lambda a, h: ps.Disk((a, a), h)),
    "disk and time": (("x", "y", "t"), lambda a, h: ps.Disk((a, -a), h) * ps.Time(0, 1)),
    "square less a disk": (("x", "y"), lambda a, h: ps.Rectangle(x=(a, a + h), y=(a, a + h)) - ps.Disk((a + h / 2, a + h / 2), h / 4)),
}
BOXES = ("interval", "interval and time", "rectangle", "box", "family")


@st.composite
def expressions(draw, coordinates, fields, unknowns, depth=2):
    """A random function of s, as source text in the names of s."""
    if depth == 0 or draw(st.booleans()):
        name = draw(st.sampled_from(fields))
        index = "".join(draw(st.lists(st.sampled_from(coordinates), max_size=3)))
        atoms = [f"s.{name}_{index}" if index else f"s.{name}", *(f"s.{c}" for c in coordinates), *(f"s.{u}" for u in unknowns), "0.7", "-2"]
        return draw(st.sampled_from([*atoms[:1] * 3, *atoms]))
    a, b = (draw(expressions(coordinates, fields, unknowns, depth - 1)) for _ in range(2))
    form = draw(
        st.sampled_from(["({a} + {b})", "({a} - {b})", "({a}) * ({b})", "torch.sin({a}) * ({b})", "torch.tanh({b}) + ({a})", "({a})**2"])
    )
    return form.format(a=a if "s." in a else f"(0 * s.{coordinates[0]} + {a})", b=b if "s." in b else f"(0 * s.{coordinates[0]} + {b})")


def function_of(source):
    return eval(f"lambda s: {source}", {"torch": torch, "ps": ps})


@st.composite
def conditions(draw, number, kind, coordinates, name):
    """A random sound condition on a field: a function of the domain."""
    value = draw(st.sampled_from([0.0, 3, -1e3, None]))
    target = value if value is not None else function_of(f"torch.cos(s.{coordinates[0]})")
    known = ["walls", "normal", "robin", "data", "inequality"] if "x" in coordinates else ["data", "inequality"]
    known += ["start"] if "t" in coordinates else []
    known += ["periodic", "integral"] if kind in BOXES else []
    chosen, label = draw(st.sampled_from(known)), f"condition {number}"
    weight = draw(st.sampled_from([None, 2.5]))
    count = draw(st.integers(1, 5))

    def inside(domain):
        points = domain.sample(count, "sobol", torch.Generator().manual_seed(1))
        return ps.Points({**points.columns, "measured": torch.ones(len(points))})

    return {
        "walls": lambda d: ps.Dirichlet(label, on=d.boundary(), weight=weight, **{name: target}),
        "normal": lambda d: ps.Neumann(label, on=d.boundary(), weight=weight, **{name: target}),
        "robin": lambda d: ps.Robin(label, lambda s: ps.normal_derivative(getattr(s, name)) + 2 * getattr(s, name), on=d.boundary()),
        "data": lambda d: ps.Data(label, inside(d), sigma=0.1, **{name: "measured"}),
        "inequality": lambda d: ps.Inequality(label, lambda s: getattr(s, name) + 1.0),
        "start": lambda d: ps.Initial(label, weight=weight, **{name: target}),
        "periodic": lambda d: ps.Periodic(label, "x", fields=(name,), derivatives=count % 3),
        "integral": lambda d: ps.Integral(label, lambda s: getattr(s, name), over="x", equals=1.0, points=4),
    }[chosen]


@st.composite
def sound(draw):
    """A draft that must be accepted."""
    kind = draw(st.sampled_from(list(DOMAINS)))
    coordinates, make = DOMAINS[kind]
    start, size = draw(st.sampled_from([-1.0, 0.0, 2.0])), draw(st.sampled_from(SIZES))
    fields = draw(st.sampled_from([("u",), ("u", "v"), ("p", "u_1", "w")]))
    unknowns = draw(st.sampled_from([(), ("A",), ("A", "nu_2")]))
    options = draw(st.sampled_from([{}, {"range": (-2, 5)}, {"symmetry": {coordinates[0]: ("odd", 0.3)}}, {"of": coordinates[0]}]))
    plus = draw(st.sampled_from([None, function_of(f"torch.sin(s.{coordinates[-1]})"), function_of("2.0")])) if not options else None
    residuals = [function_of(f"s.{f} + 0.1 * ({draw(expressions(coordinates, fields, unknowns))})") for f in fields]
    count = draw(st.integers(0, 3))
    return Draft(
        domain=lambda: make(start * size, size),
        fields=[lambda f=f: ps.Field(f, plus=plus, **options) for f in fields],
        residuals=residuals,
        conditions=[draw(conditions(k, kind, coordinates, draw(st.sampled_from(fields)))) for k in range(count)],
        unknowns=[lambda u=u: ps.Unknown(u, 0.5, positive=u == "A") for u in unknowns],
        form=draw(st.sampled_from(["one", "one", "tuple", "dict", "vector"])),
        weight=draw(st.sampled_from([None, None, 3.0])),
    )


def first_residual(function):
    """A fault of the first residual: function(s, what it was)."""

    def change(draft):
        sane = draft.residuals[0]
        draft.residuals[0], draft.form = (lambda s: function(s, sane(s))), "one"

    return change


def condition(make):
    def change(draft):
        draft.conditions.append(make)

    return change


def declared(**parts):
    def change(draft):
        for name, value in parts.items():
            setattr(draft, name, value if name in ("domain", "weight") else [*getattr(draft, name), *value])

    return change


def a_field(s):
    return getattr(s, s.field_names[0])


def raising(error):
    def function(s, r):
        raise error

    return function


def any_name(domain):
    return domain.names[0]


def data_at(column):
    return lambda d: ps.Data("probe", ps.Points(dict.fromkeys(d.names, column)), u=0.0)


FAULTS = {
    "rows (N, 1)": first_residual(lambda s, r: r[:, None]),
    "rows (N, N)": first_residual(lambda s, r: r[:, None] * r),
    "a mean": first_residual(lambda s, r: r.mean()),
    "a sum": first_residual(lambda s, r: torch.sum(r)),
    "a slice": first_residual(lambda s, r: r[:-1]),
    "one row": first_residual(lambda s, r: r[:1]),
    "nothing": first_residual(lambda s, r: None),
    "a number": first_residual(lambda s, r: 0.0),
    "a text": first_residual(lambda s, r: "zero"),
    "an empty tuple": first_residual(lambda s, r: ()),
    "an empty dict": first_residual(lambda s, r: {}),
    "a dict of numbers": first_residual(lambda s, r: {"a": r, "b": 1.0}),
    "a list with nothing": first_residual(lambda s, r: [r, None]),
    "a boolean": first_residual(lambda s, r: r > 0),
    "a set": first_residual(lambda s, r: {1}),
    "a numpy array": first_residual(lambda s, r: r.detach().numpy()),
    "no fields": first_residual(lambda s, r: 0 * getattr(s, next(iter(s._coordinates))) + 1.0),
    "a constant tensor": first_residual(lambda s, r: torch.ones(len(r), dtype=torch.float64)),
    "an outer product": first_residual(lambda s, r: r + torch.ones(len(r), 1)),
    "a column added": first_residual(lambda s, r: r * torch.ones(3, len(r))),
    "an unknown name": first_residual(lambda s, r: r + s.q),
    "a derivative by no coordinate": first_residual(lambda s, r: r + getattr(s, f"{s.field_names[0]}_q")),
    "D by no coordinate": first_residual(lambda s, r: r + ps.D(a_field(s), "q")),
    "D of a tensor": first_residual(lambda s, r: r + ps.D(torch.ones(len(r)), "x")),
    "a normal inside": first_residual(lambda s, r: r + s.normal("x")),
    "data of an equation": first_residual(lambda s, r: r + s.data.measured),
    "a truth value": first_residual(lambda s, r: r if a_field(s) > 0 else -r),
    "if an expression": first_residual(lambda s, r: r if r else -r),
    "a loop": first_residual(lambda s, r: sum(a for a in r)),
    "a text added": first_residual(lambda s, r: r + "a"),
    "a list added": first_residual(lambda s, r: r - [1.0, 2.0]),
    "a function of numbers": first_residual(lambda s, r: math.sin(r)),
    "a division by zero": first_residual(lambda s, r: r + 1 / 0),
    "infinite": first_residual(lambda s, r: r / (0 * a_field(s))),
    "a root of what is negative": first_residual(lambda s, r: torch.sqrt(-1 - r**2)),
    "a missing key": first_residual(raising(KeyError("alpha"))),
    "a missing index": first_residual(raising(IndexError("7"))),
    "a message in the wrong place": first_residual(raising(RuntimeError("size mismatch\nat line 3"))),
    "no function": lambda draft: draft.residuals.append(None) or setattr(draft, "form", "one"),
    "two arguments": lambda draft: draft.residuals.append(lambda s, t: s) or setattr(draft, "form", "one"),
    "no domain": declared(domain=lambda: None),
    "an inverted interval": declared(domain=lambda: ps.Interval("x", 1, 0)),
    "an empty interval": declared(domain=lambda: ps.Interval("x", 1, 1)),
    "an endless interval": declared(domain=lambda: ps.Interval("x", 0, math.inf)),
    "an interval of nothing": declared(domain=lambda: ps.Interval("x", 0, math.nan)),
    "an interval of words": declared(domain=lambda: ps.Interval("x", "a", "b")),
    "a coordinate twice": declared(domain=lambda: ps.Interval("x", 0, 1) * ps.Interval("x", 0, 1)),
    "a domain times a number": declared(domain=lambda: ps.Interval("x", 0, 1) * 2),
    "a coordinate of two words": declared(domain=lambda: ps.Interval("a b", 0, 1)),
    "a disk of no radius": declared(domain=lambda: ps.Disk((0, 0), 0)),
    "a disk without a centre": declared(domain=lambda: ps.Disk(0, 1)),
    "a box of numbers": declared(domain=lambda: ps.Box(x=3)),
    "a hole larger than the shape": declared(domain=lambda: ps.Disk((0, 0), 1) - ps.Disk((0, 0), 2)),
    "a field twice": lambda draft: draft.fields.append(draft.fields[0]),
    "a field called by a number": declared(fields=[lambda: 3]),
    "a field of an unknown coordinate": declared(fields=[lambda: ps.Field("g", of="q")]),
    "a field no one mentions": declared(fields=[lambda: ps.Field("g")]),
    "a reserved name": declared(fields=[lambda: ps.Field("data")]),
    "a name with a space": declared(fields=[lambda: ps.Field("a b")]),
    "an inverted range": declared(fields=[lambda: ps.Field("g", range=(1, 0))]),
    "an odd symmetry": declared(fields=[lambda: ps.Field("g", symmetry={"x": "skew"})]),
    "an unknown twice": declared(unknowns=[lambda: ps.Unknown("D", 1.0)] * 2),
    "an unknown at nothing": declared(unknowns=[lambda: ps.Unknown("D", math.nan)]),
    "an unknown at a word": declared(unknowns=[lambda: ps.Unknown("D", "one")]),
    "a negative positive unknown": declared(unknowns=[lambda: ps.Unknown("D", -1.0, positive=True)]),
    "bounds beside the start": declared(unknowns=[lambda: ps.Unknown("D", 5.0, bounds=(0, 1))]),
    "a weight of zero": declared(weight=0.0),
    "a negative weight": declared(weight=-1.0),
    "a weight of nothing": declared(weight=math.nan),
    "an endless weight": declared(weight=math.inf),
    "a weight in words": declared(weight="large"),
    "a condition that is none": condition(lambda d: lambda s: s),
    "a condition of nothing": condition(lambda d: None),
    "a condition on a word": condition(lambda d: ps.Residual("there", a_field, on="left")),
    "a condition twice": lambda draft: draft.conditions.extend([lambda d: ps.Residual("same", a_field)] * 2),
    "a condition without a name": condition(lambda d: ps.Residual("", a_field)),
    "a side that is none": condition(lambda d: ps.Dirichlet("side", u=0.0, on=d.side(**{any_name(d): 1e9}))),
    "a side of two": condition(lambda d: ps.Dirichlet("side", u=0.0, on=d.side(a=0, b=0))),
    "values of no field": condition(lambda d: ps.Dirichlet("other", q=0.0, on=d)),
    "no values": condition(lambda d: ps.Dirichlet("none", on=d)),
    "values in a list": condition(lambda d: ps.Dirichlet("list", on=d, u=[1.0])),
    "data outside": condition(data_at([1e9, -1e9])),
    "data nowhere": condition(data_at([math.nan])),
    "no data": condition(data_at([])),
    "data in a matrix": condition(data_at([[0.0], [0.0]])),
    "data without a coordinate": condition(lambda d: ps.Data("probe", ps.Points({"q": [0.0]}), u=0.0)),
    "data in a dict": condition(lambda d: ps.Data("probe", {"x": [0.0]}, u=0.0)),
    "a column that is none": condition(lambda d: ps.Data("probe", ps.Points({n: [0.0] for n in d.names}), u="q")),
    "a sigma of zero": condition(lambda d: ps.Data("probe", ps.Points({n: [0.0] for n in d.names}), u=0.0, sigma=0.0)),
    "periodic along nothing": condition(lambda d: ps.Periodic("wrap", "q")),
    "periodic of no field": condition(lambda d: ps.Periodic("wrap", any_name(d), fields=("q",))),
    "an integral over nothing": condition(lambda d: ps.Integral("mass", a_field, over=())),
    "an integral over no coordinate": condition(lambda d: ps.Integral("mass", a_field, over="q")),
    "an integral of another shape": condition(lambda d: ps.Integral("mass", a_field, over=any_name(d), equals=lambda s: torch.ones(9))),
    "an integral of a scalar": condition(lambda d: ps.Integral("mass", lambda s: a_field(s).mean(), over=any_name(d))),
    "an integral of a column": condition(lambda d: ps.Integral("mass", lambda s: a_field(s)[:, None], over=any_name(d))),
    "an integral at no nodes": condition(lambda d: ps.Integral("mass", a_field, over=any_name(d), points=0)),
    "an integrand that is none": condition(lambda d: ps.Integral("mass", 3, over=any_name(d))),
    "derivatives below none": condition(lambda d: ps.Periodic("wrap", any_name(d), derivatives=-1)),
    "derivatives by halves": condition(lambda d: ps.Periodic("wrap", any_name(d), derivatives=1.5)),
    "a weight of shape (N, 1)": condition(lambda d: ps.Residual("w", a_field, weight=lambda s: (1 + a_field(s) ** 2)[:, None])),
    "a weight of columns": condition(lambda d: ps.Residual("w", a_field, weight=lambda s: torch.ones(7, 1))),
    "a weight below zero": condition(lambda d: ps.Residual("w", a_field, weight=lambda s: -1 - getattr(s, any_name(d)) ** 2)),
    "a weight that is nothing": condition(lambda d: ps.Residual("w", a_field, weight=lambda s: None)),
    "a weight that fails": condition(lambda d: ps.Residual("w", a_field, weight=lambda s: s.q)),
    "a loss that is none": condition(lambda d: ps.Residual("w", a_field, loss=3)),
    "an inequality of a text": condition(lambda d: ps.Inequality("w", lambda s: "u > 0")),
    "an inequality that is none": condition(lambda d: ps.Inequality("w", 3)),
    "an interface inside": condition(lambda d: ps.Interface("w", lambda s: a_field(s.minus), on=d)),
    "a side in words": condition(lambda d: ps.Dirichlet("side", u=0.0, on=d.side(**{any_name(d): "left"}))),
    "a hard value in the middle": condition(lambda d: ps.Dirichlet("side", u=0.0, on=d, hard=True)),
    "a value that is not a number": condition(lambda d: ps.Residual("nan", lambda s: a_field(s) - math.nan)),
    "a value of shape (N, 1)": condition(lambda d: ps.Residual("column", lambda s: a_field(s) - torch.zeros(len(a_field(s)), 1))),
}


@st.composite
def faulty(draw):
    """A draft with one fault."""
    draft = draw(sound())
    draft.fault = draw(st.sampled_from(list(FAULTS)))
    FAULTS[draft.fault](draft)
    return draft
