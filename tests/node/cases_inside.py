"""What a container finds: variables, files and their owners, its user and rights, the world around it. Runs nothing."""

from collections.abc import Iterator, Mapping

from tests.node.files import BUSYBOX, SHOW, Case, Manifest, at, claim, claimed, config_map, file_of, in_turn, secret, sh
from tests.plane.images import OTHER_IMAGE

IN_MEMORY = "an `emptyDir` in memory"
SECCOMP = "system calls"
ENGINE_FILES = "`/run`, `/var` and `/etc/mtab`"
TOKEN = "the service account"

_EMPTY: Manifest = {"emptyDir": {}}
_MEMORY: Manifest = {"emptyDir": {"medium": "Memory"}}


def cases() -> Iterator[Case]:
    """All of them."""
    for part in (_variables, _sources, _maps, _empty, _claims, _owners, _image, _rights, _world):
        yield from part()


def _variables() -> Iterator[Case]:
    env = [
        {"name": "A", "value": "1"},
        {"name": "B", "value": "$(A)2 $(C) $$(A) $$$(A) $(A $()"},
        {"name": "C", "value": "3"},
        {"name": "A_EMPTY"},
        {"name": "LINES", "value": "one\ntwo"},
        {"name": "UMLAUT", "value": "größer 価格"},
        {"name": "QUOTED", "value": "a \"b\" 'c' \\d # e"},
        {"name": "dotted.name", "value": "x"},
    ]
    echo = {"image": BUSYBOX, "command": ["echo", "$(A)", "$(NONE)", "$$(A)", "$$$$", "größer"], "args": ["$(B)", ""]}
    jobs: Mapping[str, Manifest] = {
        "values": sh('echo "$A|$B|$C|$A_EMPTY|$LINES|$UMLAUT|$QUOTED"; env | grep dotted', env=env),
        "arguments": {**echo, "params": {"env": env}},
    }
    yield Case(name="env-values", text=file_of("env-values", jobs))
    job = sh("env | sort | grep -v -e KUBERNETES -e HOSTNAME")
    yield Case(name="env-all", text=file_of("env-all", {"j": job}))
    fields = {
        "NAME": "metadata.name",
        "NAMESPACE": "metadata.namespace",
        "LABEL": "metadata.labels['team']",
        "NOTE": "metadata.annotations['example.org/note']",
        "NO_LABEL": "metadata.labels['absent']",
    }
    job = sh(
        'echo "$LABEL|$NOTE|$NO_LABEL"; test "$NAME" = "$(hostname)" && echo same; test "$NAMESPACE" && echo there',
        env=[
            {"name": name, "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": path}}}
            for name, path in fields.items()
        ],
        labels={"team": "data"},
        annotations={"example.org/note": "a note, with ünïcode"},
    )
    yield Case(name="env-fields", text=file_of("env-fields", {"j": job}))


def _sources() -> Iterator[Case]:
    name = "env-sources"
    data = {"A": "of the map", "B-C": "dash", "1D": "digit", "e.f": "dot", "LINES": "1\n2\n"}
    documents = (
        config_map(name, data=data),
        secret(name, stringData={"A": "of the secret", "S": "s"}, data={"S": "b3RoZXI=", "T": "dA=="}),
    )
    from_map, from_secret = {"configMapRef": {"name": name}}, {"secretRef": {"name": name}}
    absent_key = {"configMapKeyRef": {"name": name, "key": "absent", "optional": True}}
    absent_map = {"configMapRef": {"name": "env-absent", "optional": True}}
    own = [{"name": "X", "value": "$(A)"}, {"name": "A", "value": "own"}]
    shown = "env | sort | grep -v -e KUBE -e HOST -e HOME -e PATH -e PWD -e SHLVL -e TERM -e container"
    jobs: Mapping[str, Manifest] = {
        "prefix": sh(shown, fromEnv=[{"prefix": "P_", **from_map}]),
        "last-wins": sh(shown, fromEnv=[from_map, from_secret]),
        "one-key": sh(shown, fromEnv=[{**from_secret, "key": "S"}]),
        "optional": sh('echo "<${X-unset}>"', fromEnv=[absent_map], env=[{"name": "X", "valueFrom": absent_key}]),
        "own-beats": sh('echo "$A $X"', fromEnv=[from_map], env=own),
    }
    yield Case(name=name, text=file_of(name, jobs, *documents))


def _maps() -> Iterator[Case]:
    """Files of ConfigMaps and Secrets."""
    documents = (
        config_map("files", data={"a.txt": "a\n", "b": "b"}, binaryData={"bytes": "/wAB"}),
        secret("files", stringData={"key": "s3cret"}),
    )
    whole: Manifest = {"configMap": {"name": "files"}}
    items = [{"key": "b", "path": "deep/er/b", "mode": 0o600}, {"key": "a.txt", "path": "a"}]
    picked = {"configMap": {"name": "files", "items": items, "defaultMode": 0o640}}
    private = {"secret": {"secretName": "files", "defaultMode": 0o400}}
    contents = "cd /v; for f in *; do stat -L -c '%A %u:%g %s %n' $f; done; cat b; od -c bytes | head -1"
    jobs: Mapping[str, Manifest] = {
        "contents": sh(contents, **at("/v", whole)),
        "items": sh("cd /v; stat -L -c '%A %u:%g %n' a deep/er/b; cat a deep/er/b", **at("/v", picked)),
        "one-file": sh(f"{SHOW} show /etc/b; cat /etc/b; echo; ls /etc/passwd", **at("/etc/b", whole, subPath="b")),
        "secret": sh("cd /v; stat -L -c '%A %u:%g %n' key; cat key", **at("/v", private)),
        "read-only": sh("echo x > /v/new; echo $?; echo x > /v/b; echo $?", **at("/v", whole)),
        "optional": sh("ls /v | wc -l", **at("/v", {"configMap": {"name": "absent", "optional": True}})),
    }
    yield Case(name="files", text=file_of("files", jobs, *documents))
    named = config_map("file-folders", data={"a": "a"})
    hidden = secret("file-folders", stringData={"key": "s3cret"})
    deep = {"name": "file-folders", "items": [{"key": "a", "path": "x/y/a"}]}
    look = f"{SHOW} cd /v; show . ..data/; show a; readlink a; readlink ..data | cut -c 1-2; ls"
    jobs = {
        "map": sh(look, **at("/v", {"configMap": {"name": "file-folders"}})),
        "secret": sh(look.replace(" a;", " key;"), **at("/v", {"secret": {"secretName": "file-folders"}})),
        "deep": sh(f"{SHOW} cd /v; show . x x/y ..data ..data/x; readlink x", **at("/v", {"configMap": deep})),
    }
    yield Case(name="file-folders", text=file_of("file-folders", jobs, named, hidden))


def _empty() -> Iterator[Case]:
    own = [{"name": "WHO", "value": "me"}]
    two = [{"name": name, "emptyDir": {}} for name in "vw"]
    nested = [{"name": "w", "mountPath": "/v/w"}, {"name": "v", "mountPath": "/v"}]
    jobs: Mapping[str, Manifest] = {
        "empty": sh(f"{SHOW} show /v; echo x > /v/x; show /v/x", **at("/v", _EMPTY)),
        "sub-path": sh(f"{SHOW} show /v; touch /v/x; show /v/x", **at("/v", _EMPTY, subPath="a/b")),
        "sub-path-of": sh(f"{SHOW} show /v", env=own, **at("/v", _EMPTY, subPathExpr="$(WHO)/$(WHO)")),
        "read-only": sh("touch /v/x; echo $?", **at("/v", _EMPTY, readOnly=True)),
        "relative": sh(f"{SHOW} show /data", **at("data", _EMPTY)),
        "nested": sh(f"{SHOW} touch /v/x /v/w/y; show /v /v/w; ls /v", volumes=two, volumeMount=nested),
        "over-a-folder": sh("ls /work | wc -l; touch /work/x; ls /work", **at("/work", _EMPTY)),
    }
    yield Case(name="empty", text=file_of("empty", jobs))
    jobs = {
        "folder": sh(f"{SHOW} show /v; echo x > /v/x && cat /v/x", **at("/v", _MEMORY)),
        "disk": sh("df /v | tail -1 | grep -c tmpfs; true", **at("/v", _MEMORY)),
    }
    yield Case(name="in-memory", text=file_of("in-memory", jobs), differs={"g/disk.output": IN_MEMORY})


def _claims() -> Iterator[Case]:
    shared = claimed("handed-on")
    read_only = {"persistentVolumeClaim": {"claimName": "handed-on", "readOnly": True}}
    jobs: Mapping[str, Manifest] = in_turn(
        write=sh("mkdir /v/sub; echo one > /v/sub/x; echo two > /v/y", **at("/v", shared)),
        sub_path=sh("ls /v; cat /v/x", **at("/v", shared, subPath="sub")),
        read_only=sh("cat /v/sub/x /v/y; touch /v/n; echo $?", **at("/v", read_only)),
    )
    yield Case(name="claim", text=file_of("claim", jobs, claim("handed-on")))


def _owners() -> Iterator[Case]:
    """Who owns the files of each kind of volume, and who may read them, with and without a group of the pod."""
    user, group = {"runAsUser": 1000}, {"fsGroup": 2000}
    volumes = [
        {"name": "secret", "secret": {"secretName": "owned", "defaultMode": 0o400}},
        {"name": "map", "configMap": {"name": "owned"}},
        {"name": "empty", "emptyDir": {}},
        {"name": "memory", "emptyDir": {"medium": "Memory"}},
        {"name": "items", "secret": {"secretName": "owned", "items": [{"key": "key", "path": "x/key", "mode": 0o100}]}},
    ]
    mounts = [{"name": one["name"], "mountPath": f"/v/{one['name']}"} for one in volumes]
    look = (
        "id -u; id -g; id -G; cd /v; stat -L -c '%A %u:%g %n' * map/a secret/key items/x items/x/key */..data;"
        "stat -c '%A %u:%g %n' map/a map/..data; cat secret/key map/a; echo; mkdir memory/d empty/d;"
        "stat -c '%A %u:%g %n' memory/d empty/d;"
        "touch empty/x; stat -c '%A %u:%g %n' empty/x"
    )
    contexts: dict[str, Manifest] = {
        "root": {},
        "user": user,
        "user-and-group": {**user, "runAsGroup": 3000},
        "more-groups": {**user, "supplementalGroups": [4000, 5000]},
        "fs-group": {**user, **group},
        "fs-group-of-root": group,
    }
    jobs: Mapping[str, Manifest] = {
        name: sh(look, volumes=volumes, volumeMount=mounts, podSecurityContext=context)
        for name, context in contexts.items()
    }
    documents = (secret("owned", stringData={"key": "s3cret"}), config_map("owned", data={"a": "a"}))
    yield Case(name="owners", text=file_of("owners", jobs, *documents))
    volume = at("/v", claimed("owned"))
    again = f"{SHOW} show /v /v/d /v/d/f; echo u >> /v/d/f; cat /v/d/f; touch /v/n && show /v/n"
    jobs = in_turn(
        by_root=sh("mkdir /v/d; echo r > /v/d/f; chmod 640 /v/d/f; cat /v/d/f", **volume),
        by_user=sh(again, podSecurityContext={**user, **group}, **volume),
        by_nobody=sh("touch /v/o; echo $?", podSecurityContext={"runAsUser": 2000}, **volume),
    )
    yield Case(name="owners-claim", text=file_of("owners-claim", jobs, claim("owned")))
    yield from _owners_again()


def _owners_again() -> Iterator[Case]:
    """A disk that several pods write to, one after the other, and parts of volumes."""
    user, group, other = {"runAsUser": 1000}, {"fsGroup": 2000}, {"fsGroup": 3000}
    lazy = {"fsGroupChangePolicy": "OnRootMismatch"}
    volume, look = at("/v", claimed("again")), f"{SHOW} cd /v; show . f d d/f || true"
    private = "mkdir -p d; echo 1 > f; echo 2 > d/f; chmod 600 f d/f; chmod 700 d"
    read_only = at("/v", {"persistentVolumeClaim": {"claimName": "again", "readOnly": True}})
    jobs = in_turn(
        first=sh(f"cd /v; {private}", podSecurityContext={**group, **lazy}, **volume),
        lazy=sh(look, podSecurityContext={**user, **group, **lazy}, **volume),
        always=sh(look, podSecurityContext={**user, **group}, **volume),
        other=sh(look, podSecurityContext={**user, **other, **lazy}, **volume),
        reads=sh(look, podSecurityContext={**user, **group}, **read_only),
    )
    yield Case(name="owners-again", text=file_of("owners-again", jobs, claim("again")))
    context = {**user, **group}
    part = {"configMap": {"name": "part", "defaultMode": 0o440}}
    jobs = {
        "empty": sh(
            f"{SHOW} show /v; touch /v/x; show /v/x", podSecurityContext=context, **at("/v", _EMPTY, subPath="a")
        ),
        "file": sh("cat /v/a", podSecurityContext=context, **at("/v/a", part, subPath="a")),
    }
    yield Case(name="owners-part", text=file_of("owners-part", jobs, config_map("part", data={"a": "a"})))


def _image() -> Iterator[Case]:
    env = [{"name": "FOR_BOTH", "value": "job"}]
    look = ["sh", "-c", "pwd; echo $OF_THE_IMAGE $FOR_BOTH; touch x; id -u"]
    jobs: Mapping[str, Manifest] = {
        "neither": {"image": OTHER_IMAGE},
        "args": {"image": OTHER_IMAGE, "args": ["a", "b"]},
        "command": {"image": OTHER_IMAGE, "command": ["echo", "c"]},
        "both": {"image": OTHER_IMAGE, "command": ["echo"], "args": ["d"]},
        "default": {"image": BUSYBOX},
        "user": {"image": OTHER_IMAGE, "command": look, "params": {"env": env}},
    }
    yield Case(name="image", text=file_of("image", jobs))
    jobs = {
        "group": {"image": OTHER_IMAGE, "command": ["id", "-g"]},
        "home": {"image": OTHER_IMAGE, "command": ["sh", "-c", "echo $HOME"]},
        "name": sh("id", securityContext={"runAsUser": 7}),
    }
    yield Case(name="image-user", text=file_of("image-user", jobs))
    jobs = {
        "there": sh("pwd") | {"workingDir": "/tmp"},
        "in-a-volume": sh("pwd; ls -A", **at("/v", _EMPTY)) | {"workingDir": "/v"},
    }
    yield Case(name="working-dir", text=file_of("working-dir", jobs))
    job = sh(f"{SHOW} pwd; show .; touch x && show x") | {"workingDir": "/new/folder"}
    yield Case(name="working-dir-absent", text=file_of("working-dir-absent", {"j": job}))


def _rights() -> Iterator[Case]:
    script = (
        "grep -E '^(CapEff|CapBnd|NoNewPrivs):' /proc/self/status; touch /new /tmp/new /dev/shm/new; echo $?;"
        "test -w /proc/sys/kernel/hostname && echo writable"
    )
    contexts: dict[str, Manifest] = {
        "default": {},
        "user": {"runAsUser": 1000},
        "drop-all": {"capabilities": {"drop": ["ALL"]}},
        "add-one": {"capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}},
        "no-escalation": {"allowPrivilegeEscalation": False},
        "read-only": {"readOnlyRootFilesystem": True},
    }
    jobs: Mapping[str, Manifest] = {name: sh(script, securityContext=context) for name, context in contexts.items()}
    yield Case(name="rights", text=file_of("rights", jobs))
    job = sh("grep Seccomp: /proc/self/status")
    yield Case(name="seccomp", text=file_of("seccomp", {"j": job}), differs={"g/j.output": SECCOMP})


def _world() -> Iterator[Case]:
    places = "ls -A /; ls -A /etc; ls -A /run /var; ls /dev | grep -v -e pts -e console"
    sizes = {"limits": {"memory": "32Mi", "cpu": "150m"}}
    files = "memory/memory.limit_in_bytes cpu/cpu.cfs_quota_us memory.max cpu.max"
    jobs: Mapping[str, Manifest] = {
        "process": sh("cat; tty; umask; ulimit -c; ulimit -s; echo $$$$; cat /proc/1/comm"),
        "name": sh("hostname | sed 's/-[a-z0-9]*$//'; grep -c \"$(hostname)\" /etc/hosts; cat /etc/passwd"),
        "limits": sh(f"cd /sys/fs/cgroup; for file in {files}; do test ! -e $file || cat $file; done", resources=sizes),
    }
    yield Case(name="world", text=file_of("world", jobs))
    jobs = {
        "places": sh(places),
        "memory": sh("df /dev/shm | tail -1 | awk '{print $2}'"),
        "token": sh("ls /var/run/secrets/kubernetes.io/serviceaccount"),
    }
    differs = {f"g/token.{what}": TOKEN for what in ("phase", "reason", "exits", "why", "output")} | {"phase": TOKEN}
    differs["g/places.output"] = ENGINE_FILES
    yield Case(name="world-of-the-engine", text=file_of("world-of-the-engine", jobs), differs=differs)
    params = {
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"operator": "Exists"}],
        "imagePullSecrets": ["absent"],
        "imagePullPolicy": "Never",
        "serviceAccount": "worker",
        "automountServiceAccountToken": False,
        "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}},
        "affinity": {"podAntiAffinity": {}},
    }
    account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "worker"}}
    job = sh("echo ran; ls /var/run/secrets || true", **params)
    yield Case(name="placement", text=file_of("placement", {"j": job}, account))
