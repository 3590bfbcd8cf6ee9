"""Which addresses are remote, and which are one file."""

import pytest

from oddjet.addresses import identity, is_remote


def test_addresses():
    assert is_remote("root://host//x.root")
    assert is_remote("https://host/x.root")
    assert not is_remote("/data/x.root")
    assert not is_remote("file:///data/x.root")


NAME = "/store/mc/RunIII/TTto4Q/NANOAODSIM/130X-v1/30000/0a1b.root"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("/data/x.root", "file:///data/x.root", True),
        ("root://a//store/data/x.root", "root://b:1095//store/data/x.root", True),
        ("root://a//store/group/x.root", "root://b//store/group/x.root", False),
        ("root://a//x.root", "root://a:1095//x.root", False),
        ("root://a//x.root", "https://a//x.root", False),
        ("http://a/x.root", "http://a:80/x.root", True),
        ("http://a/x.root", "https://a./x.root", True),
        ("http://a:8080/x.root", "https://a/x.root", False),
        ("/data/x.root", "file:/data/x.root", True),
        (f"https://a:1094/cms{NAME}", f"root://b//pnfs/c/d{NAME}", True),
        ("https://a/me/store/data/x.root", "https://b/you/store/data/x.root", False),
    ],
)
def test_identity(one, other, same):
    assert (identity(one) == identity(other)) == same
