"""Make the environment of `./trans` or `./check`: a venv with the libraries, in which this checkout can be imported.

    python3 .ci/environment.py VENV [GROUP]

It is quiet unless it fails, safe to start twice at once, and redone if it was interrupted: the stamp is written last. Only
the standard library is used, in a syntax that any Python 3 can read, so that an old one gets a sentence, not a SyntaxError.
"""

import fcntl
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))

# setuptools' own finder for editable installs adds 12 ms to every start of Python; this one adds less than 1.
FINDER = """\
import sys


class Checkout:
    names = ("transmissions", "transmissions.processors", "transmissions.configs", "transmissions.apps")
    files = sys.meta_path[-1]  # as it is now: libraries put finders of their own behind it

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return cls.files.find_spec(name, [{here!r}]) if name in cls.names else None


sys.meta_path.insert(0, Checkout)
"""


def fail(sentence):
    sys.exit("%s: %s" % ("check" if "dev" in sys.argv[2:] else "trans", sentence))


def check_python():
    if sys.version_info < (3, 11):
        fail("Python 3.11 or later is needed; %s is %d.%d" % (sys.executable, sys.version_info[0], sys.version_info[1]))
    try:
        import ensurepip  # noqa: F401 - Debian leaves it out of python3
        import venv  # noqa: F401
    except ImportError:
        fail("python3-venv is missing: apt install python3-venv")


def requirements(group):
    import tomllib

    with open(os.path.join(HERE, "pyproject.toml"), "rb") as file:
        project = tomllib.load(file)
    wanted = list(project["project"]["dependencies"])
    if group:  # what tests the library needs all that any of it needs
        extras = project["project"]["optional-dependencies"]
        wanted += project["dependency-groups"][group] + [one for name in extras if name != "all" for one in extras[name]]
    return wanted


def run(what, *command):
    result = subprocess.run(
        command, check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if result.returncode:
        sys.stderr.write(result.stdout)
        fail("%s failed; the reason stands above%s" % (what, hint(result.stdout)))
    return result.stdout


def hint(output):
    signs = ("NewConnectionError", "name resolution", "ConnectTimeout", "ProxyError", "Network is unreachable")
    return " (it looks as if there were no network)" if any(map(output.__contains__, signs)) else ""


def make(venv, group):
    # Where only what is required has changed, what somebody installed beside that stays; a check sees only what is required.
    if is_stamped(venv) and not group:
        os.remove(os.path.join(venv, "stamp"))
    else:
        shutil.rmtree(venv, ignore_errors=True)
        run("python3 -m venv", sys.executable, "-m", "venv", venv)
    python = os.path.join(venv, "bin", "python")
    patience = ["--disable-pip-version-check", "--no-input", "--retries", "2", "--timeout", "15"]
    wanted = requirements(group)
    if wanted:
        # A check uses a third of what is installed for it: that is compiled as it is imported.
        compiled = ["--no-compile"] if group else []
        run("fetching the libraries", python, "-m", "pip", "install", "--quiet", *compiled, *patience, *wanted)
    site = run("python", python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip()
    write(os.path.join(site, "transmissions_checkout.py"), FINDER.format(here=HERE))
    write(os.path.join(site, "transmissions_checkout.pth"), "import transmissions_checkout\n")
    # Where PYTHONDONTWRITEBYTECODE is set every start would compile all it imports, 0.15 s; a folder that is read-only may.
    sources = [os.path.join(HERE, name) for name in ("transmissions", "processors")]
    sources += [os.path.join(site, name) for name in ("transmissions_checkout.py", "_distutils_hack")]  # setuptools', if at all
    subprocess.run([python, "-m", "compileall", "-qq", *sources], check=False)
    shutil.copyfile(os.path.join(HERE, "pyproject.toml"), os.path.join(venv, "pyproject.toml"))
    write(os.path.join(venv, "stamp"), stamp(python))


def stamp(python):
    return "%s\n%s\n" % (HERE, os.path.realpath(python))


def is_good(venv):
    return is_stamped(venv) and is_the_same(os.path.join(venv, "pyproject.toml"), read(os.path.join(HERE, "pyproject.toml")))


def is_stamped(venv):
    return is_the_same(os.path.join(venv, "stamp"), stamp(os.path.join(venv, "bin", "python")))


def is_the_same(path, text):
    try:
        return read(path) == text
    except OSError:
        return False


def read(path):
    with open(path) as file:
        return file.read()


def write(path, text):
    with open(path, "w") as file:
        file.write(text)


def main(venv, group=None):
    check_python()
    with open(venv + ".lock", "w") as lock:
        # The kernel releases the lock however this process ends. Whoever waited finds the work done.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not is_good(venv):
            sys.stderr.write("setting up %s (once, about half a minute)\n" % venv)
            make(venv, group)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        fail("cannot set up %s: %s" % (sys.argv[1], error))
