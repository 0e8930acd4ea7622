"""Compiles kernel texts with the real run-time compiler, on a machine without a GPU (`tools/cuda texts` does it all).

    mkdir texts; STANDIN_TEXTS=texts CNUMERIC_CUDA_DRIVER=build/libcnstandin.so \
        CNUMERIC_CUDA_COMPILER=build/libcnstandin.so build/test_device quick
    python tools/cuda_texts.py texts [--arch sm_75,sm_80,sm_90] [--sass] [--jobs 2]

NVRTC is CUDA's, or that of the wheel nvidia-cuda-nvrtc in this Python. Prints the texts that do not compile, with what
the compiler says, and how many registers and bytes of stack the worst ones take; exit status 1 if any does not compile.
--sass leaves machine code beside each text.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import ctypes
import pathlib
import re
import sys
import sysconfig

OPTIONS = ("--fmad=false", "--device-as-default-execution-space", "--device-int128", "--std=c++17", "--minimal")
QUIET = ("--diag-suppress=177,550,128,186,68", "--ptxas-options=-v")
PLACES = ("/usr/local/cuda/lib64", "/usr/local/cuda/lib", "/usr/local/cuda/targets/x86_64-linux/lib")


def compiler() -> ctypes.CDLL:
    """The run-time compiler's library."""
    packages = pathlib.Path(sysconfig.get_path("purelib"))
    found = [p for place in (*PLACES, *packages.glob("nvidia/*/lib")) for p in pathlib.Path(place).glob("libnvrtc.so*")]
    if not found:
        sys.exit("no libnvrtc: install CUDA, or `pip install nvidia-cuda-nvrtc`")
    return ctypes.CDLL(str(found[0]))


def compile_text(path: pathlib.Path, arch: str, keep: bool) -> tuple[bool, str]:
    """Whether the compiler refuses the text, and what it says."""
    nvrtc, program, size = compiler(), ctypes.c_void_p(), ctypes.c_size_t()
    headers = list(path.parent.rglob("*.*h"))
    names = [str(p.relative_to(path.parent)).encode() for p in headers]
    texts = [p.read_bytes() for p in headers]
    strings = ctypes.c_char_p * len(headers)
    nvrtc.nvrtcCreateProgram(
        ctypes.byref(program), path.read_bytes(), b"group.cu", len(headers), strings(*texts), strings(*names)
    )
    options = [o.encode() for o in (f"--gpu-architecture={arch}", *OPTIONS, *QUIET)]
    failed = nvrtc.nvrtcCompileProgram(program, len(options), (ctypes.c_char_p * len(options))(*options)) != 0
    nvrtc.nvrtcGetProgramLogSize(program, ctypes.byref(size))
    log = ctypes.create_string_buffer(size.value)
    nvrtc.nvrtcGetProgramLog(program, log)
    if keep and not failed:
        nvrtc.nvrtcGetCUBINSize(program, ctypes.byref(size))
        code = ctypes.create_string_buffer(size.value)
        nvrtc.nvrtcGetCUBIN(program, code)
        path.with_suffix(f".{arch}.cubin").write_bytes(code.raw)
    nvrtc.nvrtcDestroyProgram(ctypes.byref(program))
    return failed, log.value.decode()


def most(pattern: str, log: str) -> int:
    """The greatest number that the log says of a kernel."""
    return max((int(n) for n in re.findall(pattern, log)), default=0)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description="Compile kernel texts with NVRTC.")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--arch", default="sm_75,sm_80,sm_90")
    parser.add_argument("--sass", action="store_true")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    work = [(p, a) for p in sorted(arguments.folder.glob("*.cu")) for a in arguments.arch.split(",")]
    failed, worst = 0, []
    with concurrent.futures.ProcessPoolExecutor(arguments.jobs) as pool:
        results = pool.map(compile_text, *zip(*work, strict=True), [arguments.sass] * len(work), chunksize=8)
        for (path, arch), (refused, log) in zip(work, results, strict=True):
            if refused:
                failed += 1
                print(f"{path} for {arch}:\n{log[:2000]}")
            worst.append((most(r"(\d+) bytes stack", log), most(r"Used (\d+) registers", log), path.name, arch))
    print(f"{len(work)} compiled, {failed} refused; the most stack and registers:")
    for stack, registers, name, arch in sorted(worst, reverse=True)[:5]:
        print(f"  {name} {arch}: {stack} bytes, {registers} registers")
    return 1 if failed or not work else 0


if __name__ == "__main__":
    raise SystemExit(main())
