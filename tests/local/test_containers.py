"""Jobs in real containers of podman, through `jobsmgr run`; skipped, saying why, where there is none."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.runs import file_of, sh
from tests.local.podman import Podman, Ran, output
from tests.plane.images import IMAGE, OTHER_IMAGE

CONFIG = """apiVersion: v1
kind: ConfigMap
metadata: {name: conf}
data: {a.txt: "from a", b.txt: "from b", WORD: hello}
binaryData: {raw: AAH/}
---
apiVersion: v1
kind: Secret
metadata: {name: key}
stringData: {TOKEN: s3cret, multi: "two\\nlines"}
---
"""

CLAIM = """apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
---
"""


def test_variables_command_args_and_directory(ran: Ran) -> None:
    """Nothing of this machine's environment; references expanded; multi-line values whole."""
    env = "[{name: A, value: x y}, {name: B, value: '$(A)!'}, {name: M, value: \"1\\n2\"}]"
    job = (
        f'name: a, command: [sh, -c, \'pwd; printf "[%s]" "$@" "$B" "$M"; echo; env\', me], args: [\'$(B)\', $$(A)],'
        f" workingDir: /work, params: {{env: {env}}}"
    )
    found = output(ran(file_of(job)))
    assert found[:3] == ["/work", "[x y!][$(A)][x y!][1", "2]"]
    assert "B=x y!" in found
    assert not [line for line in found if "not.for.jobs" in line or line.startswith("NOT_FOR_JOBS")]


def test_values_arrive_as_they_are(ran: Ran) -> None:
    """Whatever podman's files of variables would make of them."""
    values = ["  led and trailed\t ", '"quoted"', "'quoted'", "# none", "a=b=c", "\\", "\\n", "x\\", "größe ✔", "*", ""]
    env = json.dumps([{"name": f"V{at}", "value": value} for at, value in enumerate(values)], ensure_ascii=False)
    names = " ".join(f'"$V{at}"' for at in range(len(values)))
    done = ran(file_of(sh("a", f"printf '[%s]\\n' {names}", f"params: {{env: {env}}}")), "--output-dir", "out")
    assert done.code == 0, done.out + done.err
    written = (ran.directory / "out" / "wf" / "g" / "a-1.log").read_text()
    assert written == "".join(f"[{value}]\n" for value in values)


def test_what_the_image_says(ran: Ran) -> None:
    """`command` stands over its entrypoint and its arguments, `args` over the latter; variables are joined."""
    jobs = [
        "name: plain, parallel: true",
        "name: args, parallel: true, args: [given]",
        "name: command, parallel: true, command: [echo, alone]",
        sh("rest", "pwd; id -u; id -g; echo $OF_THE_IMAGE $FOR_BOTH", "params: {env: [{name: FOR_BOTH, value: job}]}"),
    ]
    done = ran(file_of(*jobs).replace("image: busybox,", f'image: "{OTHER_IMAGE}",'))
    assert output(done, "plain") == ["entrypoint of the image"], done.out
    assert output(done, "args") == ["entrypoint given"]
    assert output(done, "command") == ["alone"]
    assert output(done, "rest") == ["/work", "1000", "0", "1 job"]


def test_images_that_cannot_be_had(ran: Ran) -> None:
    """The job fails at once, whatever its retries: by its pull policy, or because its name is none."""
    jobs = {
        "never": "image: example.invalid/none, params: {imagePullPolicy: Never}",
        "always": f"image: '{OTHER_IMAGE}', params: {{imagePullPolicy: Always}}",
        "option": "image: --help, params: {imagePullPolicy: Never}",
    }
    text = file_of(*(f"name: {name}, parallel: true, {more}" for name, more in jobs.items()))
    done = ran(text.replace("image: busybox, ", "").replace("retries: 0", "retries: 5"))
    assert done.code == 3
    why = {name: next(line for line in done.out.splitlines() if line.startswith(f"✘ g/{name} ")) for name in jobs}
    never = "could not be pulled: it does not exist on this machine, and imagePullPolicy is Never"
    assert f'image "example.invalid/none" {never}' in why["never"]
    assert f'image "{OTHER_IMAGE}" could not be pulled: ' in why["always"]
    assert f'image "--help" {never}' in why["option"]
    assert "next try" not in done.out


def test_volumes(ran: Ran) -> None:
    """ConfigMap, Secret, items, modes, subPath, emptyDir; those of ConfigMaps and Secrets cannot be written."""
    volumes = (
        "[{name: conf, configMap: {name: conf}}, {name: some, configMap: {name: conf, defaultMode: 256, items:"
        " [{key: a.txt, path: deep/a}]}}, {name: key, secret: {secretName: key}}, {name: scratch, emptyDir: {}},"
        " {name: none, secret: {secretName: none, optional: true}}]"
    )
    mounts = (
        "[{name: conf, mountPath: /conf}, {name: some, mountPath: /some}, {name: key, mountPath: /key}, {name: scratch,"
        " mountPath: /scratch}, {name: conf, mountPath: /one, subPath: b.txt}, {name: none, mountPath: /none}]"
    )
    script = (
        "ls /conf; cat /some/deep/a; echo; stat -c %a /some/deep/a; cat /key/TOKEN /one; echo; ls /none;"
        " touch /conf/x 2>/dev/null || echo read-only; echo y > /scratch/x; cat /scratch/x"
    )
    params = f"params: {{volumes: {volumes}, volumeMounts: {mounts}}}"
    done = ran(CONFIG + file_of(sh("a", script, params)), "--show-secrets")
    expected = ["WORD", "a.txt", "b.txt", "raw", "from a", "400", "s3cretfrom b", "read-only", "y"]
    assert output(done) == expected, done.out + done.err


def test_from_env(ran: Ran) -> None:
    """Whole sources and single keys."""
    params = (
        "params: {fromEnv: [{configMapRef: {name: conf}}, {key: TOKEN, secretRef: {name: key}}]},"
        " command: [sh, -c, 'echo $WORD $TOKEN']"
    )
    text = CONFIG + file_of(f"name: a, {params}")
    assert output(ran(text, "--show-secrets")) == ["hello s3cret"]
    assert output(ran(text)) == ["hello ***"]


def test_host_paths_need_a_flag(ran: Ran, tmp_path: Path) -> None:
    """Refused before the start without it."""
    (tmp_path / "shared").mkdir()
    params = (
        f"params: {{volumes: [{{name: v, hostPath: {{path: {tmp_path}/shared}}}}],"
        " volumeMounts: [{name: v, mountPath: /v}]}"
    )
    text = file_of(sh("a", "echo hi > /v/file", params))
    refused = ran(text)
    assert (refused.code, refused.out) == (2, "")
    assert "allow that with --allow-host-path" in refused.err
    assert ran(text, "--allow-host-path").code == 0
    assert (tmp_path / "shared" / "file").read_text() == "hi\n"


def test_exit_codes_and_retries(ran: Ran) -> None:
    """A container's own 125 to 127 are not taken for podman's; each try is a new container."""
    jobs = [
        sh("a", "exit 125"),
        "name: b, command: [no-such-command], parallel: true",
        sh("c", "touch /tmp/mark && ls /tmp; exit 7"),
    ]
    done = ran(file_of(*jobs).replace("retries: 0", "retries: 1"))
    assert done.code == 3
    assert "g/a failed" in done.out
    assert "last with exit code 125" in done.out
    why = (
        'failed with exit code 128 (StartError): command "no-such-command" does not exist in image "docker.io/library/'
    )
    assert why in done.out
    assert "g/b running  try 1 failed" not in done.out
    assert output(done, "b") == []
    assert output(done, "c") == ["mark", "mark"]


@pytest.mark.long
def test_an_exit_code_before_podman_has_cleaned_up(podman: Podman, ran: Ran) -> None:
    """Podman calls such a container stopped, not exited: its code is its own all the same."""
    jobs = [sh("a", "exit 125"), sh("b", "exit 127"), "name: c, command: [no-such-command], parallel: true"]
    with podman.without_clean_up():
        done = ran(file_of(*jobs))
    for job, code in ("a", "125"), ("b", "127"):
        assert re.search(rf"✘ g/{job} failed +\S+  failed with exit code {code}$", done.out, re.MULTILINE), done.out
    assert 'exit code 128 (StartError): command "no-such-command" does not exist in image' in done.out


def test_a_mistyped_command_is_one_sentence(ran: Ran) -> None:
    """No retry, no page of the engine's, nothing in the log; what cannot be executed is not reported as missing."""
    commands = {"typo": "ehco", "path": "/absent", "file": "/etc/passwd", "folder": "/bin", "other": "no such"}
    jobs = [f"name: {name}, command: ['{command}'], parallel: true" for name, command in commands.items()]
    done = ran(file_of(*jobs).replace("retries: 0", "retries: 3"), "--output-dir", "out")
    missing = "does not exist in image {}; correct it, or use an image that has it"
    useless = "of image {} cannot be executed; it is not a program, or may not be executed"
    for name, what in {"typo": missing, "path": missing, "file": useless, "folder": useless, "other": missing}.items():
        sentence = f'command "{commands[name]}" {what.format(chr(34) + IMAGE + chr(34))}'
        live = rf"^✘ g/{name} +failed +\S+  failed with exit code 128 \(StartError\): {re.escape(sentence)}$"
        assert len(re.findall(live, done.out, re.MULTILINE)) == 1, done.out
        assert (ran.directory / "out" / "wf" / "g" / f"{name}-1.log").read_bytes() == b""
        assert not (ran.directory / "out" / "wf" / "g" / f"{name}-2.log").exists()
    assert "runc" not in done.out


def test_a_working_directory_that_is_not_there_is_made(ran: Ran) -> None:
    """As on a cluster; one that is there stays what it is, also where the command is what is missing."""
    jobs = [
        "name: new, parallel: true, command: [sh, -c, 'pwd; ls -A; stat -c %A:%u:%g .'], workingDir: /new/folder",
        "name: old, parallel: true, command: [sh, -c, 'ls -d busybox'], workingDir: /bin",
        "name: typo, parallel: true, command: [ehco], workingDir: /bin",
        "name: both, parallel: true, command: [ehco], workingDir: /new/folder",
        "name: file, parallel: true, command: ['true'], workingDir: /etc/passwd",
    ]
    done = ran(file_of(*jobs))
    assert output(done, "new") == ["/new/folder", "drwxr-xr-x:0:0"], done.out
    assert output(done, "old") == ["busybox"]
    for name in ("typo", "both"):
        assert re.search(rf"✘ g/{name} +failed .*: command \"ehco\" does not exist in image", done.out), done.out
    assert re.search(r"✘ g/file failed .*\(StartError\): the container could not be started: ", done.out), done.out


def test_what_no_kubelet_sets_is_not_set(ran: Ran) -> None:
    """Neither variables nor users; what the image or the job sets stays."""
    jobs = [
        sh(
            "none",
            "env | grep -e TERM -e container; cat /etc/passwd; echo $HOME",
            "parallel: true, params: {securityContext: {runAsUser: 7}}",
        ),
        sh("own", "echo $TERM", "parallel: true, params: {env: [{name: TERM, value: dumb}]}"),
        sh("last-words", "echo bye > /dev/termination-log; stat -c %A /dev/termination-log"),
    ]
    done = ran(file_of(*jobs))
    assert output(done, "none") == ["root:x:0:0:root:/:/bin/sh", "/"], done.out
    assert output(done, "own") == ["dumb"]
    assert output(done, "last-words") == ["-rw-rw-rw-"]


def test_a_group_for_the_files_of_a_pod(ran: Ran) -> None:
    """A Secret that its owner alone may read, and every other kind of volume, for a user who is not root."""
    volumes = (
        "[{name: key, secret: {secretName: key, defaultMode: 256}}, {name: scratch, emptyDir: {}},"
        " {name: data, persistentVolumeClaim: {claimName: data}}]"
    )
    mounts = ", ".join(f"{{name: {name}, mountPath: /v/{name}}}" for name in ("key", "scratch", "data"))
    script = "cat /v/key/TOKEN; echo; cd /v; touch scratch/x data/x; stat -L -c '%A %u:%g %n' * key/TOKEN data/x"
    context = "podSecurityContext: {runAsUser: 1000, fsGroup: 2000}"
    params = f"params: {{volumes: {volumes}, volumeMounts: [{mounts}], {context}}}"
    done = ran(CONFIG + CLAIM + file_of(sh("a", script, params)), "--show-secrets")
    assert output(done) == [
        "s3cret",
        "drwxrwsr-x 0:2000 data",
        "drwxrwsrwt 0:2000 key",
        "drwxrwsrwx 0:2000 scratch",
        "-r--r----- 0:2000 key/TOKEN",
        "-rw-r--r-- 1000:2000 data/x",
    ], done.out + done.err


def test_a_restart_in_place_keeps_volumes_alone(ran: Ran) -> None:
    """OnFailure: the emptyDir stays, the container's own files do not."""
    volumes = "volumes: [{name: v, emptyDir: {}}], volumeMounts: [{name: v, mountPath: /v}]"
    params = f"params: {{restartPolicy: OnFailure, {volumes}}}"
    script = "[ -e /tmp/own ] && echo own; touch /tmp/own; [ -e /v/kept ] && echo kept && exit 0; touch /v/kept; exit 1"
    done = ran(file_of(sh("a", script, params)).replace("retries: 0", "retries: 1"))
    assert (done.code, output(done)) == (0, ["kept"])


def test_jobs_hand_files_on_in_a_claim(ran: Ran) -> None:
    """Also users that are not root, to those that are others; each sees what links lead to within it."""
    volumes = "volumes: [{name: v, persistentVolumeClaim: {claimName: data}}]"
    jobs = [
        ("a", "mkdir /v/1 && echo kept > /v/1/file && ln -s 1 /v/current && ln -s /etc /v/out", "", 1000),
        ("b", "cat /v/file; touch /v/x 2>/dev/null || echo not mine", "subPath: current, ", 2000),
        ("c", "ls /v", "subPath: out/new, ", 0),
    ]
    group = ", fsGroup: 3000"  # a new claim is root's alone, as a new disk
    texts = [
        f"{sh(name, script, '')} params: {{{volumes}, volumeMounts: [{{name: v, {sub}mountPath: /v}}],"
        f" podSecurityContext: {{runAsUser: {user}{group if user == 1000 else ''}}}}}"
        for name, script, sub, user in jobs
    ]
    done = ran(CLAIM + file_of(*texts))
    assert output(done, "b") == ["kept", "not mine"], done.out + done.err
    assert 'volumeMounts[0].subPath: "out/new" is outside the volume' in done.out
    assert not Path("/etc/new").exists()


def test_two_workflows_of_one_name(ran: Ran) -> None:
    """In two namespaces: their Jobs have the same names, their containers do not."""
    one, two = (file_of(sh("a", f"echo {name}; sleep 1")) for name in ("one", "two"))
    done = ran(one + "---\n" + two.replace("{name: wf}", "{name: wf, namespace: other}"))
    assert done.code == 0, done.out
    assert {"wf:g/a │ one", "wf:g/a │ two"} <= set(done.out.splitlines())


def test_what_no_container_can_be_given(ran: Ran) -> None:
    """A character that no variable and no argument can have: the job fails, not the run."""
    jobs = [
        sh("a", "echo started", 'params: {env: [{name: A, value: "x\\0y"}]}'),
        'name: b, command: [echo, "x\\0y"], parallel: true',
    ]
    done = ran(file_of(*jobs))
    assert done.code == 3
    for job in ("a", "b"):
        why = r"failed with exit code 128 \(StartError\): the container could not be started: embedded null byte"
        assert re.search(rf"✘ g/{job} failed +\S+  {why}$", done.out, re.MULTILINE), done.out + done.err


def test_output_of_any_kind(ran: Ran) -> None:
    """Bytes that are no text, a line without end, much at once, and what a child that stays behind holds open."""
    script = r"printf '\000\377\033[2J'; head -c 300000 /dev/zero | tr '\000' x; echo; sleep 1000 & printf end"
    done = ran(file_of(sh("a", script)), "--output-dir", "out")
    assert done.code == 0
    assert (ran.directory / "out" / "wf" / "g" / "a-1.log").read_bytes() == b"\0\xff\x1b[2J" + b"x" * 300_000 + b"\nend"
    assert "\x1b" not in done.out
    assert output(done)[-1] == "end"
