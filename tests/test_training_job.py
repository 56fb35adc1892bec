"""deploy/training-job.yaml: its script run by a shell; no cluster is started."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from cirs_tf import train

FILE = Path(__file__).parents[1] / "deploy" / "training-job.yaml"
TRAINING = {
    manifest["kind"]: manifest for manifest in yaml.safe_load_all(FILE.read_text())
}


def test_every_pod_of_the_training_job_knows_all_workers(tmp_path):
    """The pod's own script, by a shell, with a `python` that shows what it got."""
    shown = tmp_path / "python"
    shown.write_text('#!/bin/sh\necho "$TF_CONFIG"\necho "$@"\n')
    shown.chmod(0o755)
    service, job = TRAINING["Service"], TRAINING["Job"]["spec"]
    (container,) = job["template"]["spec"]["containers"]
    variables = {each["name"]: each["value"] for each in container["env"]}
    count = job["completions"]
    for index in range(count):
        environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", **variables}
        environment["JOB_COMPLETION_INDEX"] = str(index)
        command = container["command"] + container["args"]
        output = subprocess.check_output(command, env=environment, text=True)
        config, arguments = output.splitlines()
        (port,) = service["spec"]["ports"]
        name = TRAINING["Job"]["metadata"]["name"]
        hosts = [f"{name}-{i}.{service['metadata']['name']}" for i in range(count)]
        assert json.loads(config) == {
            "cluster": {"worker": [f"{host}:{port['port']}" for host in hosts]},
            "task": {"type": "worker", "index": index},
        }
    module, flags = arguments.split()[1], arguments.split()[2:]
    assert module == "cirs_tf.train"
    settings = train._parser("train").parse_args(flags)
    mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert all(str(path).startswith(*mounted) for path in (settings.data, settings.run))


def test_the_training_job_starts_all_workers_at_once_and_finds_them():
    service, job = TRAINING["Service"]["spec"], TRAINING["Job"]["spec"]
    assert job["completionMode"] == "Indexed"  # names pods by their index
    assert job["parallelism"] == job["completions"]
    pod = job["template"]["spec"]
    assert pod["subdomain"] == TRAINING["Service"]["metadata"]["name"]
    assert service["clusterIP"] == "None"
    assert service["selector"] == {"job-name": TRAINING["Job"]["metadata"]["name"]}
    assert service["publishNotReadyAddresses"]
    (volume,) = pod["volumes"]
    claim = TRAINING["PersistentVolumeClaim"]
    assert volume["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    assert claim["spec"]["accessModes"] == ["ReadWriteMany"]


def test_the_training_job_by_the_schemas_of_kubernetes():
    kubernetes = pytest.importorskip(
        "kubernetes_validate", reason="needs `pip install kubernetes-validate`"
    )
    for manifest in TRAINING.values():
        kubernetes.validate(manifest, "1.33", strict=True)
