"""The files of deploy/, by their formats' own readers; no container is started."""

import configparser
import posixpath
import re
import shlex
from pathlib import Path

import pytest
import yaml
from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    message_factory,
    text_format,
    wrappers_pb2,
)

from cirs_tf.__main__ import COMMANDS

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "deploy"
DOCS = (ROOT / "docs" / "deploying.md").read_text()
# As Compose puts in where a variable is not set.
COMPOSE = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", (DEPLOY / "compose.yaml").read_text())
SERVICES = yaml.safe_load(COMPOSE)["services"]
MANIFESTS = list(yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text()))
KINDS = {manifest["kind"]: manifest for manifest in MANIFESTS}
(CONTAINER,) = KINDS["Deployment"]["spec"]["template"]["spec"]["containers"]
MODELS = {
    path.name: path.read_text() for path in (DEPLOY / "serving").glob("models*.config")
} | {"kubernetes.yaml": KINDS["ConfigMap"]["data"]["models.config"]}
BATCHING = {
    "batching.config": (DEPLOY / "serving" / "batching.config").read_text(),
    "kubernetes.yaml": KINDS["ConfigMap"]["data"]["batching.config"],
}
# Of tensorflow_model_server (model_servers/main.cc).
FLAGS = {
    "model_config_file",
    "model_config_file_poll_wait_seconds",
    "allow_version_labels_for_unavailable_models",
    "enable_batching",
    "batching_parameters_file",
    "rest_api_timeout_in_ms",
}


def model_of(text):
    """Return the one model of a ModelServerConfig, by the official message."""
    pytest.importorskip(
        "tensorflow_serving",
        reason="needs `pip install --no-deps tensorflow-serving-api`",
    )
    from tensorflow_serving.config import model_server_config_pb2

    config = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    (model,) = config.model_config_list.config
    return model


@pytest.mark.parametrize("name", MODELS)
def test_models_config_names_the_mounted_folder_and_served_versions(name):
    model = model_of(MODELS[name])
    assert model.model_platform == "tensorflow"
    assert model.base_path == f"/models/{model.name}"
    versions = list(model.model_version_policy.specific.versions)
    labels = dict(model.version_labels)
    expected = {"stable": 1}
    if "canary" in name:
        expected["canary"] = 2
    assert labels == expected
    assert versions == sorted(expected.values())


def batching_parameters():
    """Return the class of BatchingParameters, which the official package lacks.

    Declared after servables/tensorflow/session_bundle_config.proto.
    """
    file = descriptor_pb2.FileDescriptorProto(
        name="batching_parameters.proto",
        package="test",
        syntax="proto3",
        dependency=[wrappers_pb2.DESCRIPTOR.name],
    )
    message = file.message_type.add(name="BatchingParameters")
    kind = descriptor_pb2.FieldDescriptorProto
    for number, name in enumerate(
        (
            "max_batch_size",
            "batch_timeout_micros",
            "max_enqueued_batches",
            "num_batch_threads",
        ),
        1,
    ):
        message.field.add(
            name=name,
            number=number,
            label=1,
            type=kind.TYPE_MESSAGE,
            type_name=".google.protobuf.Int64Value",
        )
    message.field.add(
        name="allowed_batch_sizes", number=6, label=3, type=kind.TYPE_INT64
    )
    message.field.add(
        name="pad_variable_length_inputs", number=7, label=1, type=kind.TYPE_BOOL
    )
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(wrappers_pb2.DESCRIPTOR.serialized_pb)
    pool.Add(file)
    found = pool.FindMessageTypeByName("test.BatchingParameters")
    return message_factory.GetMessageClass(found)


@pytest.mark.parametrize("name", BATCHING)
def test_batching_config(name):
    parameters = text_format.Parse(BATCHING[name], batching_parameters()())
    assert parameters.max_batch_size.value > 1
    assert parameters.num_batch_threads.value >= 1
    assert parameters.max_enqueued_batches.value >= 1
    # Padded images would be segmented with their padding.
    assert not parameters.pad_variable_length_inputs


def test_kubernetes_and_compose_configure_the_server_alike():
    def plain(text):
        return re.sub(r"#.*", "", text).split()

    assert plain(MODELS["kubernetes.yaml"]) == plain(MODELS["models.config"])
    assert plain(BATCHING["kubernetes.yaml"]) == plain(BATCHING["batching.config"])
    assert CONTAINER["args"] == SERVICES["serving"]["command"]


def test_flags_of_the_server_are_known_and_name_what_is_mounted():
    flags = dict(arg.removeprefix("--").split("=") for arg in CONTAINER["args"])
    assert set(flags) == FLAGS
    for flag in ("model_config_file", "batching_parameters_file"):
        folder, name = posixpath.split(flags[flag])
        assert (DEPLOY / "serving" / name).is_file()
        assert name in KINDS["ConfigMap"]["data"]
        assert f"./serving:{folder}:ro" in SERVICES["serving"]["volumes"]
        mounts = {m["mountPath"]: m["name"] for m in CONTAINER["volumeMounts"]}
        assert mounts[folder] == "config"
        assert mounts["/models"] == "models"


def test_compose_is_read_by_another_reader():
    compose_spec = pytest.importorskip("compose_spec", reason="needs the extra dev")
    text = yaml.safe_dump(yaml.safe_load(COMPOSE))  # with what `<<` stands for
    compose = compose_spec.PyCompose.from_yaml(text)
    compose.validate()
    assert sorted(compose.service_names()) == ["cirs-tf", "serving", "tensorboard"]


def test_compose_builds_from_files_that_are_there():
    for name in ("tensorboard", "cirs-tf"):
        build = SERVICES[name]["build"]
        context = (DEPLOY / build["context"]).resolve()
        assert context == ROOT
        assert (context / build["dockerfile"]).is_file()
        assert SERVICES[name]["image"] == "cirs-tf:local"
    for service in SERVICES.values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")  # nobody is asked who they are
        for volume in service["volumes"]:
            source = (DEPLOY / volume.split(":")[0]).resolve()
            # The folders that the commands write are not in the repository.
            made = {ROOT / "data", ROOT / "runs", ROOT / "exported"}
            assert source in made or source.is_dir()


def test_the_dockerfile_copies_what_pip_needs_and_little_else():
    lines = (DEPLOY / "Dockerfile").read_text().splitlines()
    copied = {
        source
        for line in lines
        if line.startswith("COPY ")
        for source in line.split()[1:-1]
    }
    assert all((ROOT / source).exists() for source in copied)
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    let_in = {line[1:] for line in ignored if line.startswith("!")}
    assert let_in == copied
    setup = configparser.ConfigParser(interpolation=None)
    setup.read(ROOT / "setup.cfg")
    packages = setup["options"]["packages"].split()
    assert (
        {"cirs_tf", "data_gen"} <= {name.split(".")[0] for name in packages} <= copied
    )
    assert set(setup["options"]["package_dir"].split("= ")[1:][0].split()) & copied
    (extra,) = re.findall(r"^ARG EXTRA=(\w+)", "\n".join(lines), re.M)
    assert extra in setup["options.extras_require"]
    (version,) = re.findall(r"^FROM python:(3\.\d+)", "\n".join(lines), re.M)
    assert version in setup["metadata"]["classifiers"]
    (entry,) = (line for line in lines if line.startswith("ENTRYPOINT"))
    assert '["cirs-tf"]' in entry
    assert "cirs-tf = " in setup["options.entry_points"]["console_scripts"]


def test_kubernetes_by_its_schemas():
    """The schemas of the Kubernetes project: 22 MB, so that no extra has them."""
    kubernetes = pytest.importorskip(
        "kubernetes_validate", reason="needs `pip install kubernetes-validate`"
    )
    for manifest in MANIFESTS:
        kubernetes.validate(manifest, "1.33", strict=True)


def test_kubernetes_refers_to_what_it_declares():
    deployment, service = KINDS["Deployment"]["spec"], KINDS["Service"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels == service["selector"]
    ports = {port["name"]: port["containerPort"] for port in CONTAINER["ports"]}
    assert ports == {"grpc": 8500, "rest": 8501}
    assert {p["targetPort"]: p["port"] for p in service["ports"]} == ports
    for probe in ("startupProbe", "readinessProbe"):
        get = CONTAINER[probe]["httpGet"]
        (name,) = re.findall(r'name: "(\w+)"', MODELS["kubernetes.yaml"])
        assert get == {"path": f"/v1/models/{name}", "port": "rest"}
    config, models = deployment["template"]["spec"]["volumes"]
    assert config["configMap"]["name"] == KINDS["ConfigMap"]["metadata"]["name"]
    claim = KINDS["PersistentVolumeClaim"]["metadata"]["name"]
    assert models["persistentVolumeClaim"]["claimName"] == claim
    mounted = {mount["name"] for mount in CONTAINER["volumeMounts"]}
    assert mounted == {config["name"], models["name"]}


def command_lines():
    """Yield the words of every command of ours on the page of docs."""
    for block in re.findall(r"```bash\n(.*?)```", DOCS, re.S):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            for start in ("cirs-tf", "cirs_tf.serving.client"):
                if start in words:
                    rest = words[words.index(start) + 1 :]
                    yield (["client"] if start.endswith("client") else []) + rest


def test_commands_of_the_page_are_ours():
    found = list(command_lines())
    assert {words[0] for words in found} == {"data", "train", "export", "client"}
    for words in found:
        module = __import__(COMMANDS[words[0]][0], fromlist=["main"])
        kind = words[1:2] if words[0] == "data" else []
        help_text = _help(module, kind)
        for word in words:
            if word.startswith("--"):
                assert re.search(rf"{word}\b", help_text), (words, word)


def _help(module, kind):
    import contextlib
    import io

    shown = io.StringIO()
    with contextlib.redirect_stdout(shown), pytest.raises(SystemExit):
        module.main([*kind, "--help"])
    return shown.getvalue()
