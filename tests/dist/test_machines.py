"""Two machines on one: network namespaces with a cable between them, each under a host name of its own."""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

EXAMPLES = pathlib.Path(__file__).parent.parent.parent / "examples"
ADDRESSES = ("10.77.0.1", "10.77.0.2")

# What logs in to a machine elsewhere: options, the host's name, the command.
AGENT = """#!/bin/sh
while [ "${{1#-}}" != "$1" ]; do shift; done
case $1 in {1}) machine={3} ;; *) machine={2} ;; esac
shift
exec ip netns exec "$machine" unshare --uts sh -c "hostname $machine; $*"
"""

OPTIONS = {
    "openmpi": "--hostfile {hosts} --mca plm_rsh_agent {agent} --mca btl tcp,self "
    "--mca btl_tcp_if_include {net} --mca oob_tcp_if_include {net}",
    "mpich": "-f {hosts} -launcher ssh -launcher-exec {agent} -localhost 10.77.0.1",
}

PROGRAM = """
import os, sys
import cnumeric, numpy
sys.path.insert(0, sys.argv[1])
import channel_flow

def other_machines():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/environ") as file:
                marked = f"CNUMERIC_TEST_MARK={os.environ['CNUMERIC_TEST_MARK']}" in file.read().split(chr(0))
            with open(f"/proc/{pid}/comm") as file:
                if marked and file.read().strip() == "cnumeric-worker":
                    yield os.readlink(f"/proc/{pid}/ns/net") != os.readlink("/proc/self/ns/net")
        except OSError:
            pass

ours = channel_flow.main(cnumeric, 41, 41, 4)
theirs = channel_flow.main(numpy, 41, 41, 4)
same = all(numpy.array_equal(numpy.asarray(a), b) for a, b in zip(ours, theirs, strict=True))
print(cnumeric._cnumeric.net_size(), sorted(other_machines()), same, cnumeric.stats()["messages"] > 0)
"""


def command(*words):
    """Run a command as root of this machine."""
    return subprocess.run(words, capture_output=True, text=True, check=False)


@pytest.fixture
def machines():
    """The names of two namespaces with a cable between them."""
    if not all(shutil.which(name) for name in ("ip", "unshare")):
        pytest.skip("ip and unshare make the machines, and are not installed")
    names = [f"cn{os.getpid()}{letter}" for letter in "ab"]
    steps = [f"ip netns add {name}" for name in names]
    steps.append(f"ip link add cable netns {names[0]} type veth peer name cable netns {names[1]}")
    for name, address in zip(names, ADDRESSES, strict=True):
        steps += [f"ip -n {name} addr add {address}/24 dev cable", f"ip -n {name} link set cable up"]
        steps += [f"ip -n {name} link set lo up"]
    try:
        for step in [*steps, "unshare --uts true"]:
            done = command(*step.split())
            if done.returncode:
                pytest.skip(f"this user may not make network namespaces: {done.stderr.strip()}")
        yield names
    finally:
        for name in names:
            command("ip", "netns", "del", name)


def test_channel_flow_on_two_machines(mpi, machines, tmp_path):
    agent, hosts, program = tmp_path / "agent", tmp_path / "hosts", tmp_path / "program.py"
    agent.write_text(AGENT.format(*ADDRESSES, *machines))
    agent.chmod(0o755)
    hosts.write_text("".join(f"{address}{' slots=2' if mpi.name == 'openmpi' else ':2'}\n" for address in ADDRESSES))
    program.write_text(PROGRAM)
    extra = OPTIONS[mpi.name].format(hosts=hosts, agent=agent, net="10.77.0.0/24")
    run = [sys.executable, "-m", "cnumeric", "run", "--nodes", "2", "--ranks-per-node", "2", "--oversubscribe"]
    inside = [
        "ip",
        "netns",
        "exec",
        machines[0],
        "unshare",
        "--uts",
        "sh",
        "-c",
        'hostname "$0"; exec "$@"',
        machines[0],
    ]
    environment = {"CNUMERIC_SPREAD_BYTES": "1", "CNUMERIC_TEST_MARK": machines[0]}
    status, out, err = mpi.complete(
        [*inside, *run, f"--launcher-extra={extra}", program, EXAMPLES], environment=environment
    )
    assert (status, out) == (0, "4 [False, True, True] True True\n"), err
