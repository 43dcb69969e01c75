# SPDX-License-Identifier: Apache-2.0
"""Install into a temporary folder and use the library from there.

    test_install.py BUILD

The program is examples/allocator.c, and DRAWS where pictures are wanted.  Each is
built four ways: pkg-config and CMake, shared and static.  For the static ones
the shared libraries are removed first, so that nothing can come from them.  The
folder is not the one that was configured, which proves that pkg-config's and
CMake's files are relocatable.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
EXAMPLE = SOURCE / "examples" / "allocator.c"
WANT = "0 bytes are still in use"
PICTURES = ("libcairo", "libgif", "libwebp")

DRAWS = r"""
#include <scorefield/plot.h>
#include <stdio.h>

int main(int argc, char **argv)
{
    const double values[] = {1.0, 2.0, 4.0};
    sf_context *ctx = NULL;
    sf_status status = sf_context_new(&ctx, NULL);
    if (argc == 2 && status == SF_OK) {
        status = sf_plot_bars(ctx, argv[1], (sf_cmat){values, 3, 1, 1}, NULL,
                              NULL, NULL);
        if (status == SF_OK)
            status = sf_plot_bars(ctx, "none.x", (sf_cmat){values, 3, 1, 1},
                                  NULL, NULL, NULL);
        printf("%d %s\n", (int)status, sf_context_message(ctx));
    }
    sf_context_free(ctx);
    return 0;
}
"""

PROJECT = """
cmake_minimum_required(VERSION 3.22)
project(consumer LANGUAGES C)
find_package(scorefield 0.1 REQUIRED COMPONENTS {components})
add_executable(consumer consumer.c)
target_link_libraries(consumer PRIVATE scorefield::{target})
"""


def run(*command, **env):
    """Run a command; return its stdout, fail the test with its output."""
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **{k: str(v) for k, v in env.items()}},
        stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError("%s gave %d:\n%s%s" % (
            " ".join(map(str, command)), done.returncode, done.stdout,
            done.stderr))
    return done.stdout


class Install(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="scorefield-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.prefix = self.folder / "prefix"
        run("cmake", "--install", BUILD, "--prefix", self.prefix)
        self.pc = next(self.prefix.rglob("scorefield.pc")).parent
        self.lib = self.pc.parent

        self.draws = self.folder / "draws.c"
        self.draws.write_text(DRAWS)

    def keep_static_only(self):
        for library in self.lib.glob("libscorefield*.so*"):
            library.unlink()

    def pkg_config(self, *options, module="scorefield"):
        return run("pkg-config", *options, module,
                   PKG_CONFIG_PATH=self.pc).split()

    def compile_by_pkg_config(self, *options, source=EXAMPLE,
                              module="scorefield"):
        program = self.folder / "program"
        run("cc", "-std=c11", "-Wall", "-Wextra", "-Werror", source, "-o",
            program, *self.pkg_config(*options, "--cflags", "--libs",
                                      module=module))
        return program

    def compile_by_cmake(self, components, target, source=EXAMPLE):
        shutil.copy(source, self.folder / "consumer.c")
        (self.folder / "CMakeLists.txt").write_text(
            PROJECT.format(components=components, target=target))
        run("cmake", "-S", self.folder, "-B", self.folder / "build",
            "-DCMAKE_PREFIX_PATH=%s" % self.prefix)
        run("cmake", "--build", self.folder / "build")
        return self.folder / "build" / "consumer"

    def needs(self, program, *libraries):
        """Whether a program loads one of these libraries."""
        said = run("ldd", program, LD_LIBRARY_PATH=self.lib)
        return any(library in said for library in libraries)

    def needs_shared(self, program):
        return self.needs(program, "libscorefield")

    def draw(self, program):
        """It draws, and its errors come through the context."""
        picture = self.folder / "bars.png"
        said = run(program, picture, LD_LIBRARY_PATH=self.lib)
        self.assertEqual(picture.read_bytes()[1:4], b"PNG")
        self.assertIn("none.x", said)

    def test_pkg_config_shared(self):
        program = self.compile_by_pkg_config()
        self.assertTrue(self.needs_shared(program))
        self.assertIn(WANT, run(program, LD_LIBRARY_PATH=self.lib))

    def test_pkg_config_static(self):
        self.keep_static_only()
        program = self.compile_by_pkg_config("--static")
        self.assertFalse(self.needs_shared(program))
        self.assertIn(WANT, run(program))

    def test_cmake_shared(self):
        program = self.compile_by_cmake("", "scorefield")
        self.assertTrue(self.needs_shared(program))
        self.assertIn(WANT, run(program))

    def test_cmake_static(self):
        program = self.compile_by_cmake("static", "static")
        self.assertFalse(self.needs_shared(program))
        self.assertIn(WANT, run(program))

    def test_without_pictures_nothing_needs_their_libraries(self):
        program = self.compile_by_pkg_config()
        self.assertFalse(self.needs(program, *PICTURES))
        said = " ".join(self.pkg_config("--static", "--libs"))
        self.assertNotIn("cairo", said)

    def test_pictures_by_pkg_config_shared(self):
        program = self.compile_by_pkg_config(source=self.draws,
                                             module="scorefield_plot")
        self.assertTrue(self.needs(program, "libscorefield_plot.so"))
        self.draw(program)

    def test_pictures_by_pkg_config_static(self):
        self.keep_static_only()
        program = self.compile_by_pkg_config("--static", source=self.draws,
                                             module="scorefield_plot")
        self.assertFalse(self.needs_shared(program))
        self.draw(program)

    def test_pictures_by_cmake_shared(self):
        program = self.compile_by_cmake("plot", "plot", self.draws)
        self.assertTrue(self.needs(program, "libscorefield_plot.so"))
        self.draw(program)

    def test_pictures_by_cmake_static(self):
        program = self.compile_by_cmake("static plot", "plot_static",
                                        self.draws)
        self.assertFalse(self.needs_shared(program))
        self.draw(program)

    def test_version_is_the_headers(self):
        header = (self.prefix / "include/scorefield/base.h").read_text()
        version = header.split("SF_VERSION_STRING ")[1].split('"')[1]
        self.assertEqual(self.pkg_config("--modversion"), [version])

    def test_every_header_compiles_alone(self):
        headers = sorted((self.prefix / "include").rglob("*.h"))
        self.assertGreater(len(headers), 0)
        for header in headers:
            name = header.relative_to(self.prefix / "include")
            for language, standard in (("c", "c11"), ("c++", "c++11")):
                with self.subTest(header=str(name), language=language):
                    source = self.folder / "alone"
                    source.write_text("#include <%s>\n" % name)
                    run("cc", "-x", language, "-std=" + standard, "-Wall",
                        "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only",
                        source, *self.pkg_config("--cflags"))

    def test_nothing_names_the_source_or_build_folder(self):
        for path in [self.pc / "scorefield.pc",
                     *self.lib.rglob("scorefield*.cmake")]:
            text = path.read_text()
            self.assertNotIn(str(SOURCE), text, path)
            self.assertNotIn(str(BUILD), text, path)

    def test_program_and_pages_are_installed(self):
        if not (BUILD / "scorefield").exists():
            self.skipTest("this build has no program")
        said = run(self.prefix / "bin" / "scorefield", "--version")
        self.assertIn(self.pkg_config("--modversion")[0], said)
        for page in (SOURCE / "man").glob("*.1"):
            self.assertTrue(list(self.prefix.rglob("man1/" + page.name)), page)


if __name__ == "__main__":
    unittest.main()
