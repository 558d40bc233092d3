"""The picture of the architecture, enforced: a module imports only from its own layer and those above it, at module level."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pinnsine

PACKAGE = Path(pinnsine.__file__).parent
LAYERS = {
    "L0": "version errors outcome towers index layer_input component jet_base jet arithmetic complex_jet rules evaluate calculus "
    "plane_waves lattice_sum local_sum",
    "L1": "points tensor_points sampling domain quadrature local unknowns integral known named_rows constraint conditions probe check "
    "real_parts problem spectrum reference",
    "L2": "nets kernel hard ansatz windows",
    "L3": "scaling term tangent jacobian objective linearised least_squares damped_qr sparse distributed sharded weighting memory compiled "
    "products minibatch row_model wave_blocks separable lattice_points",
    "L4": "optim modes rest continuation evolution growth shares places mirror trials bandwidth omega loop resampling signals regression "
    "policy budget history estimate state monitor arguments callbacks constrained durable tree uncertainty view refined cost nested waves",
    "L5": "comparison error_maps progress plot export runfile surface solution evidence diagnose diagnose_windows residual_map checkpoint "
    "attempt attempts kept_march lift sitting chain stepping resolved dense_windows escalation solve ensemble march sweep resume eigenpairs",
    "L6": "options fit fit_options fit_commands bench cli_report cli __main__ __init__",
}
LEVEL = {name: level for level, names in enumerate(LAYERS.values()) for name in names.split()}
FILES = sorted(PACKAGE.rglob("*.py"))


def unit(path):
    """The name in the picture: a top-level module or the folder that holds it."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def module_level_imports(path):
    """Names imported when the module is: neither inside functions nor for type checkers."""
    found = []

    def visit(nodes):
        for node in nodes:
            if isinstance(node, ast.Import):
                found.extend(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name}: relative import"
                submodules = [f"{node.module}.{a.name}" for a in node.names if (PACKAGE / f"{a.name}.py").exists()]
                found.extend(submodules if node.module == "pinnsine" else [node.module])
                if node.module == "pinnsine":
                    folders = [f"pinnsine.{a.name}" for a in node.names if (PACKAGE / a.name).is_dir()]
                    found.extend(folders)
            elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                visit(node.orelse)
            elif isinstance(node, ast.If | ast.Try | ast.With | ast.ClassDef):
                for field in ("body", "orelse", "finalbody"):
                    visit(getattr(node, field, []))

    visit(ast.parse(path.read_text()).body)
    return found


def own_imports(path):
    """The units of this package that a file imports."""
    return {name.split(".")[1] for name in module_level_imports(path) if name.startswith("pinnsine.")}


def test_every_module_has_its_place_in_the_picture():
    assert {unit(p) for p in FILES} == set(LEVEL)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_module_imports_only_its_own_layer_and_those_above(path):
    own = LEVEL[unit(path)]
    below = {f"{name} (L{LEVEL[name]})" for name in own_imports(path) if LEVEL[name] > own}
    assert not below, f"{unit(path)} is in L{own} and imports {', '.join(sorted(below))}"


def test_imports_have_no_cycle():
    imports = {}
    for path in FILES:
        imports.setdefault(unit(path), set()).update(own_imports(path) - {unit(path)})
    done = set()
    while imports:
        free = [name for name, needs in imports.items() if needs <= done]
        assert free, f"a cycle among {sorted(imports)}"
        done.update(free)
        for name in free:
            del imports[name]


@pytest.mark.parametrize("path", [p for p in FILES if LEVEL.get(unit(p), 6) <= 5], ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_torch_and_numpy_are_imported_beside_the_standard_library(path):
    foreign = {name.split(".")[0] for name in module_level_imports(path)} - sys.stdlib_module_names
    assert foreign <= {"pinnsine", "torch", "numpy"}


LIGHT = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"scipy", "h5py", "matplotlib", "rich", "typer", "threadpoolctl", "meshio"}:
            raise ImportError(f"{name} must not be imported here")

sys.meta_path.insert(0, Refuse())
import pinnsine
problem = pinnsine.load_problem("burgers")
print(len(problem.constraints), sorted(pinnsine.__dict__)[-1] and problem.name)
"""


def test_the_package_and_its_problems_load_with_torch_and_numpy_alone():
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", LIGHT], cwd=PACKAGE.parent, env={"PYTHONPATH": str(PACKAGE.parent), "PATH": ""},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert run.stdout.split() == ["3", "burgers"]


def test_everything_public_is_imported_by_name():
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    names = [a.asname or a.name for node in tree.body if isinstance(node, ast.ImportFrom) for a in node.names]
    assert len(names) == len(set(names)) <= 60
    assert "*" not in names
    assert all(hasattr(pinnsine, name) for name in names)
