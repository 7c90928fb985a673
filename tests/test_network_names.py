"""Names of networks as people write them."""

import csv
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from advisor.answering.evidence import Evidence
from advisor.answering.trial import models_of
from advisor.catalog.network_names import NetworkNames, read_aliases
from advisor.core.candidate import Candidate
from advisor.errors import CatalogError, UsageError
from advisor.hardware.library import catalog_directory

SHELF = NetworkNames(
    (
        "resnet50", "resnet50d", "resnetv2_50", "mobilenetv1_100", "mobilenetv2_100",
        "mobilenetv2_050", "mobilenetv4_conv_small", "mobilenetv4_conv_large", "efficientnet_b0",
        "vit_base_patch16_224", "vit_base_patch14_dinov2", "vit_small_patch14_dinov2",
        "regnetx_016", "regnetx_160", "swin_tiny_patch4_window7_224",
    ),
    {
        "mobilenet_v2": "mobilenetv2_100",
        "MobileNetV1 0.75": "mobilenetv1_100:width=0.75",
        "swin_t": "swin_tiny_patch4_window7_224",
        "facebook/dinov2-small": "vit_small_patch14_dinov2",
        "regnet_x_1_6gf": "regnetx_016",
        "regnet_x_16gf": "regnetx_160",
        "timm/resnet50.rare_in22k": "resnet50.rare_in22k",
    },
)  # fmt: skip


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence()


@pytest.mark.parametrize(
    ("spelling", "network"),
    [
        ("resnet50", "resnet50"),
        ("ResNet-50", "resnet50"),
        ("microsoft/resnet-50", "resnet50"),
        ("timm/resnet50.a1_in1k", "resnet50.a1_in1k"),
        ("hf_hub:timm/resnet50.a1_in1k", "resnet50.a1_in1k"),
        ("https://huggingface.co/timm/resnet50.a1_in1k", "resnet50.a1_in1k"),
        ("torchvision.models.mobilenet_v2", "mobilenetv2_100"),
        ("tf.keras.applications.mobilenet_v2.MobileNetV2", "mobilenetv2_100"),
        ("MobileNet V2", "mobilenetv2_100"),
        ("mobilenet_v2@192", "mobilenetv2_100@192"),
        ("MobileNetV2@160:width=0.5", "mobilenetv2_100@160:width=0.5"),
        ("MobileNet v1 0.75 160", "mobilenetv1_100@160:width=0.75"),
        ("Swin-T", "swin_tiny_patch4_window7_224"),
        ("dinov2-small", "vit_small_patch14_dinov2"),
        ("effnet b0", "efficientnet_b0"),
        ("efficientnet-b0-pytorch", "efficientnet_b0"),
        ("https://tfhub.dev/google/imagenet/mobilenet_v2_100_224/classification/4",
         "mobilenetv2_100@224"),
        ("RegNetX-1.6GF", "regnetx_016"),
        ("RegNetX-16GF", "regnetx_160"),
    ],
)  # fmt: skip
def test_a_name_means_one_network_however_it_is_written(spelling: str, network: str) -> None:
    assert SHELF.meaning(spelling) == (network,)


def test_the_beginning_of_several_names_lists_them() -> None:
    assert set(SHELF.meaning("MobileNetV4")) == {"mobilenetv4_conv_small", "mobilenetv4_conv_large"}


def test_a_word_inside_several_names_lists_them() -> None:
    assert SHELF.meaning("dinov2") == ("vit_base_patch14_dinov2", "vit_small_patch14_dinov2")


@pytest.mark.parametrize("spelling", ["resnet51", "mobilenet_v2x", "efficientnet_b0_int8", "", "@"])
def test_another_network_is_never_taken_for_its_kin(spelling: str) -> None:
    assert SHELF.meaning(spelling) == ()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("NASNetMobile", "; of its kin the catalog has 'nasnetalarge'"),
        ("yolov8n", ", which is for detecting objects: the catalog has image classifiers"),
        ("ssd_mobilenet_v1", "a file of it is counted and estimated, as net.onnx@640"),
        ("DeepLabV3", ", which is for segmenting images"),
        ("movenet", ", which is for finding poses"),
        ("resnt18", "; did you mean 'resnet18'"),
        ("lenet5", ""),
        ("x" * 100, ""),
        ("", ""),
    ],
)
def test_what_nobody_has_is_told_without_unrelated_names(
    typed: str, said: str, evidence: Evidence
) -> None:
    told = evidence.names.against(typed)
    assert said in told
    assert bool(said) == bool(told)


def test_the_nearest_names_share_the_telling_parts() -> None:
    assert SHELF.nearest("mobilenet_v2x")[0] == "mobilenetv2_100"
    assert SHELF.nearest("resnet51")[0] == "resnet50"


def test_an_alias_of_two_networks_is_refused(tmp_path: Path) -> None:
    table = "name,network,source\nnet,a,here\nnet,b,there\n"
    (tmp_path / "network_aliases.csv").write_text(table, encoding="utf-8")
    with pytest.raises(CatalogError, match=r"network_aliases\.csv:3: 'net' has two meanings"):
        read_aliases(tmp_path)


def rows(name: str) -> list[dict[str, str]]:
    path = Path(__file__).parent / "data" / name
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_a_hundred_names_of_public_threads_are_known(evidence: Evidence) -> None:
    assert not [row["typed"] for row in rows("network_spellings.csv") if not right(row, evidence)]


def right(row: dict[str, str], evidence: Evidence) -> bool:
    """Whether a spelling means what it should, or suggests what is near where nothing is."""
    meant, expected = evidence.names.meaning(row["typed"]), row["expected"].split()
    if not expected:
        told = evidence.names.against(row["typed"])
        return not meant and any(repr(name) in told for name in row["relatives"].split())
    if len(expected) == 1:
        return len(meant) == 1 and meant[0] in expected[0].split("/")
    return len(meant) > 1 and set(expected) <= set(meant)


def test_every_classification_network_of_torchvision_is_known(evidence: Evidence) -> None:
    torchvision = pytest.importorskip("torchvision")
    names = torchvision.models.list_models(module=torchvision.models)
    assert len(names) >= 80
    for name in names:
        assert evidence.candidates([name])


def test_ids_of_timm_on_the_hub_are_known(evidence: Evidence) -> None:
    timm = pytest.importorskip("timm")
    configurations = [timm.get_pretrained_cfg(name) for name in timm.list_pretrained()]
    ids = sorted({c.hf_hub_id for c in configurations if (c.hf_hub_id or "").startswith("timm/")})
    for one in random.Random(2026).sample(ids, 50):
        (candidate,) = evidence.candidates([one])
        assert f"timm/{candidate.architecture}.{candidate.tag}" == one
        assert evidence.candidates([f"hf_hub:{one}"]) == [candidate]


def test_every_alias_leads_to_a_network_of_the_catalog_and_hides_none(evidence: Evidence) -> None:
    aliases = read_aliases(catalog_directory())
    for name, network in aliases.items():
        assert Candidate.parse(network).architecture in evidence.architectures
        assert evidence.names.meaning(name) == (network,)
    assert not set(aliases) & set(evidence.architectures)


def test_no_two_names_of_the_catalog_read_alike(evidence: Evidence) -> None:
    meanings = Counter(evidence.names.meaning(name.upper()) for name in evidence.architectures)
    assert max(meanings.values()) == 1


def test_a_name_of_several_networks_is_refused_with_the_wildcard_for_all(
    evidence: Evidence,
) -> None:
    with pytest.raises(UsageError, match=r"means several.*conv_small.*by 'mobilenetv4\*'"):
        evidence.candidates(["mobilenetv4"])
    with pytest.raises(UsageError, match=r"vit_small_patch14_dinov2.*by '\*dinov2\*'"):
        evidence.candidates(["dinov2"])


def test_weights_without_a_published_accuracy_are_kept(evidence: Evidence) -> None:
    (candidate,) = evidence.candidates(["timm/vit_base_patch16_clip_224.openai"])
    assert candidate.tag == "openai"


@pytest.mark.parametrize("ask", [Evidence.named, lambda e, name: models_of([name], e)])
def test_every_command_tells_a_detector_as_such(
    ask: Callable[[Evidence, str], object], evidence: Evidence
) -> None:
    with pytest.raises(UsageError, match="unknown network 'yolov8n', which is for detecting"):
        ask(evidence, "yolov8n")
