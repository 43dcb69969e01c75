# SPDX-License-Identifier: Apache-2.0
"""The tools must see what they are there to see.

    test_tools.py BUILD

Every test makes a small project in a temporary folder, checks that the tool
accepts it, plants one fault and checks that the tool names it.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
del sys.argv[1:2]

HAVE_MANDOC = shutil.which("mandoc") is not None
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"


class Case(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp(prefix="scorefield-"))
        self.addCleanup(shutil.rmtree, self.root)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def run_tool(self, tool, *arguments, **env):
        done = subprocess.run(
            [str(SOURCE / tool), *map(str, arguments)],
            env={**os.environ, **env}, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.returncode, done.stdout

    def accepts(self, tool, *arguments):
        status, output = self.run_tool(tool, *arguments)
        self.assertEqual(status, 0, output)
        return output

    def rejects(self, text, tool, *arguments):
        """The tool fails, and its only complaint contains the text."""
        status, output = self.run_tool(tool, *arguments)
        self.assertEqual(status, 1, output)
        self.assertIn(text, output)
        self.assertEqual(len(output.strip().splitlines()), 1, output)


class Layers(Case):
    def setUp(self):
        super().setUp()
        self.write("src/LAYERS", "# bottom-up\nlow:\nmid: low\ntop: low\n")
        self.code("low/a.h", "#include <cairo.h>\n")
        self.code("low/a.c", '#include "low/a.h"\n#include "a.h"\n'
                  '#include "scorefield/x.h"\n#include <stdio.h>\n')
        self.code("mid/b.h", '#include "low/a.h"\n')
        self.code("top/c.c", '#include "low/a.h"\n')
        self.write("include/scorefield/x.h", "#include <stdint.h>\n")
        self.write("include/scorefield/y.h", '#include "scorefield/x.h"\n')
        self.write("examples/e.c", "#include <scorefield/y.h>\n"
                   "#include <unistd.h>\n")
        self.accepts(*self.tool)

    def code(self, name, text):
        """A file of src/ that opens as it should: two lines before the text."""
        return self.write("src/" + name, "/* SPDX */\n/* %s - an idea. */\n"
                          % pathlib.Path(name).name + text)

    @property
    def tool(self):
        return "tools/check_layers", "--root", self.root

    def test_upward_include(self):
        self.code("low/bad.c", '#  include "mid/b.h"\n')
        self.rejects("src/low/bad.c:3: low may not include mid", *self.tool)

    def test_upward_include_by_a_relative_path(self):
        self.code("low/bad.c", '#include "../mid/b.h"\n')
        self.rejects("low may not include ../mid/b.h", *self.tool)

    def test_upward_include_in_angle_brackets(self):
        self.code("low/bad.c", "#include <mid/b.h>\n")
        self.rejects('write "mid/b.h"', *self.tool)

    def test_include_of_an_unlisted_neighbour(self):
        self.code("top/bad.c", '#include "mid/b.h"\n')
        self.rejects("top may not include mid", *self.tool)

    def test_include_of_nothing(self):
        self.code("top/bad.c", '#include "low/none.h"\n')
        self.rejects("no file src/low/none.h", *self.tool)

    def test_include_of_no_public_header(self):
        self.code("top/bad.c", '#include "scorefield/none.h"\n')
        self.rejects("no public header scorefield/none.h", *self.tool)

    def test_public_header_with_an_internal_include(self):
        self.write("include/scorefield/bad.h", '#include "low/a.h"\n')
        self.rejects("include/scorefield/bad.h:1", *self.tool)

    def test_public_header_with_a_foreign_include(self):
        self.write("include/scorefield/bad.h", "#include <cairo.h>\n")
        self.rejects("not cairo.h", *self.tool)

    def test_example_with_an_internal_include(self):
        self.write("examples/bad.c", '#include "low/a.h"\n')
        self.rejects("examples/bad.c:1", *self.tool)

    def test_blas_outside_its_file(self):
        self.code("low/bad.c", "    take_turn();\n"
                   "    cblas_dgemm(a);\n")
        self.rejects("only src/num/linalg.c calls BLAS", *self.tool)

    def test_blas_out_of_turn(self):
        self.write("src/LAYERS", "num:\nlow:\nmid: low\ntop: low\n")
        self.code("num/linalg.c", "    info = LAPACKE_dsyevd_work(a);\n")
        self.rejects("linalg.c:3: want take_turn()", *self.tool)

    def test_threads_outside_their_files(self):
        for line in ("#pragma omp parallel for", "  # pragma omp  for",
                     "#pragma omp barrier", "#include <omp.h>",
                     "int n = omp_get_num_threads();",
                     '_Pragma("omp parallel")'):
            self.code("low/bad.c", "\n" + line + "\n")
            self.rejects("low/bad.c:4: threads begin in", *self.tool)
        self.code("low/bad.c", "#pragma omp simd\n"
                  "/* as with an omp parallel region */\n")
        self.accepts(*self.tool)

    def test_threads_in_their_files(self):
        self.write("src/LAYERS", "base:\ngraph:\nlow:\nmid: low\ntop: low\n")
        for name in ("base/parallel.c", "graph/exec_cpu.c",
                     "graph/exec_steps.c"):
            self.code(name, "#include <omp.h>\n#pragma omp parallel\n")
        self.accepts(*self.tool)
        self.code("graph/exec.c", "#pragma omp parallel\n")
        self.rejects("graph/exec.c:3: threads begin in", *self.tool)

    def test_folder_that_is_no_floor(self):
        self.write("src/attic/z.c", "\n")
        self.rejects("src/attic/ is not in src/LAYERS", *self.tool)

    def test_floor_that_lists_a_higher_one(self):
        self.write("src/LAYERS", "low:\nmid: low top\ntop: low\n")
        self.code("mid/d.h", '#include "top/e.h"\n')
        self.code("top/e.h", "\n")
        self.rejects("mid may not include top", *self.tool)

    def test_floor_that_lists_what_it_does_not_include(self):
        self.write("src/LAYERS", "low:\nmid: low\ntop: low mid\n")
        self.rejects("top lists mid, but includes nothing of it", *self.tool)

    def excuses(self, line):
        """With this exception all is well; without the fault it is one."""
        self.write("src/EXCEPTIONS", "# not for long\n" + line + "\n")
        self.accepts(*self.tool)

    def test_name_of_two_files(self):
        self.code("top/b.c", "\n")
        self.rejects("files called b are in src/mid and src/top (rule name)",
                     *self.tool)
        self.excuses("name b")

    def test_source_and_header_have_one_name(self):
        self.code("mid/b.c", "\n")
        self.accepts(*self.tool)

    def test_type_that_is_defined_twice(self):
        for one, two in (("struct job { int a; };\n", "typedef enum job {\n"
                          "A } job;\n"),
                         ("typedef struct {\nint a;\n} job;\n",
                          "union job { int a; };\n"),
                         ("typedef void (*job)(int);\n", "struct job {};\n")):
            self.code("low/d.c", one)
            self.accepts(*self.tool)
            self.code("top/e.c", two)
            self.rejects("type job is defined in src/low/d.c and in "
                         "src/top/e.c (rule type)", *self.tool)
            (self.root / "src/top/e.c").unlink()
        self.code("top/e.c", two)
        self.excuses("type job")

    def test_type_that_is_only_declared_again(self):
        self.code("low/d.h", "typedef struct job job;\nstruct job *j;\n")
        self.code("low/d.c", "/* struct job { */\nstruct job { int a; };\n")
        self.accepts(*self.tool)

    def circle(self):
        self.code("low/d.c", "int sfi_d(void)\n{\n    return sfi_e();\n}\n")
        self.code("low/e.c", "int sfi_e(\n    void)\n{\n"
                  "    return sfi_f[0];\n}\n")
        self.code("low/f.c", "const int sfi_f[2] = {0};\n")
        self.accepts(*self.tool)
        self.code("low/f.c", "const int sfi_f[2] = {0};\n"
                  "static int use(void)\n{\n    return sfi_d();\n}\n")

    def test_circle_of_files(self):
        self.circle()
        self.rejects("circle in src/low/: d.c uses sfi_e of e.c; "
                     "e.c uses sfi_f of f.c; f.c uses sfi_d of d.c",
                     *self.tool)
        self.excuses("circle low/d low/e low/f")

    def test_circle_within_an_excused_one(self):
        self.circle()
        self.excuses("circle low/d low/e low/f low/g")

    def test_circle_beyond_an_excused_one(self):
        self.circle()
        self.write("src/EXCEPTIONS", "circle low/d low/e\n")
        status, output = self.run_tool(*self.tool)
        self.assertEqual(status, 1)
        self.assertIn("circle in src/low/", output)
        self.assertIn("src/EXCEPTIONS:1: nothing needs circle", output)

    def test_names_in_comments_and_strings_are_no_use(self):
        self.code("low/d.c", "int sfi_d(void)\n{\n    return sfi_e();\n}\n")
        self.code("low/e.c", "int sfi_e(void)\n{\n    /* sfi_d */\n"
                  '    puts("sfi_d");\n}\n')
        self.accepts(*self.tool)

    def test_long_file(self):
        self.code("low/d.c", "\n" * 898)
        self.accepts(*self.tool)
        self.code("low/d.c", "\n" * 899)
        self.rejects("src/low/d.c: 901 lines, want 900 at most", *self.tool)
        self.excuses("long low/d.c")

    def test_file_without_its_idea(self):
        for text in ("\n", "/* d.h - another one's. */\n", "/* d.c */\n"):
            self.write("src/low/d.c", LICENCE + text)
            self.rejects('src/low/d.c: want "/* d.c - "', *self.tool)
        self.excuses("opening low/d.c")

    def test_exception_that_nothing_needs(self):
        self.write("src/EXCEPTIONS", "\nlong low/a.c # once\n")
        self.rejects("src/EXCEPTIONS:2: nothing needs long low/a.c",
                     *self.tool)


class Symbols(Case):
    HEADER = "#define SF_API __attribute__((visibility(\"default\")))\n" \
        "/* SF_API void sf_in_a_comment(void); */\n" \
        "SF_API int sf_one(void);\nSF_API const char *sf_two(\n    int a);\n"
    CODE = "int sf_one(void){return 1;}\n" \
        "const char *sf_two(int a){(void)a;return \"\";}\n" \
        "int sfi_inner(void);\nint sfi_inner(void){return 2;}\n"

    def setUp(self):
        super().setUp()
        self.write("include/scorefield/x.h", self.HEADER)
        self.write("tools/symbols.txt", "sf_one\nsf_two\n")
        self.build(self.CODE)
        self.accepts(*self.tool)

    @property
    def tool(self):
        return "tools/check_symbols", "--root", self.root

    def build(self, code, name="libscorefield", needs=""):
        self.write("x.c", '#include "include/scorefield/x.h"\n' + code)
        for command in (
                "cc -fPIC -fvisibility=hidden -c x.c -o x.o",
                "mkdir -p build", "rm -f build/%s.a" % name,
                "cc -shared x.o -o build/%s.so %s" % (name, needs),
                "ar rcs build/%s.a x.o" % name):
            subprocess.run(command.split(), cwd=self.root, check=True)

    def test_foreign_name_in_the_static_library(self):
        self.build(self.CODE + "int helper(void);int helper(void){return 3;}")
        self.rejects("helper: global in the static library", *self.tool)

    def test_export_that_is_not_listed(self):
        self.write("include/scorefield/x.h",
                   self.HEADER + "SF_API int sf_new(void);\n")
        self.build(self.CODE + "int sf_new(void){return 4;}\n")
        self.rejects("sf_new: exported, but not in tools/symbols.txt",
                     *self.tool)
        self.accepts(*self.tool, "--update")
        self.accepts(*self.tool)

    def test_listed_name_that_is_gone(self):
        self.write("tools/symbols.txt", "sf_old\nsf_one\nsf_two\n")
        self.rejects("sf_old: in tools/symbols.txt, but not exported",
                     *self.tool)

    def test_declaration_that_nothing_defines(self):
        self.write("include/scorefield/y.h", "SF_API int\nsf_none(void);\n")
        self.rejects("sf_none: declared with SF_API, but not exported",
                     *self.tool)

    def test_export_with_another_prefix(self):
        self.build(self.CODE + "SF_API int sfi_seen(void);\n"
                   "int sfi_seen(void){return 5;}\n")
        status, output = self.run_tool(*self.tool)
        self.assertEqual(status, 1)
        self.assertIn("sfi_seen: exported, but does not begin with sf_",
                      output)

    def test_list_out_of_order(self):
        self.write("tools/symbols.txt", "sf_two\nsf_one\n")
        self.rejects("is not sorted", *self.tool)

    def pictures(self, code):
        self.write("include/scorefield/plot.h",
                   '#include "x.h"\nSF_API int sf_plot_one(void);\n')
        self.write("tools/symbols_plot.txt", "sf_plot_one\n")
        self.build('#include "include/scorefield/plot.h"\n' + code,
                   "libscorefield_plot")

    def test_library_of_pictures(self):
        self.pictures("int sf_plot_one(void){return 1;}\n")
        self.accepts(*self.tool)
        self.pictures("int sf_plot_one(void){return 1;}\n" + self.CODE)
        status, output = self.run_tool(*self.tool)
        self.assertEqual(status, 1)
        self.assertIn("sf_one: exported, but not in tools/symbols_plot.txt",
                      output)

    def test_no_library_of_pictures(self):
        self.pictures("int sf_plot_one(void){return 1;}\n")
        (self.root / "build/libscorefield_plot.a").unlink()
        self.rejects("libscorefield_plot.a; run make first", *self.tool)

    def test_library_that_needs_pictures(self):
        (self.root / "gif.c").write_text("")
        subprocess.run("cc -shared gif.c -o libgif.so".split(), cwd=self.root,
                       check=True)
        self.build(self.CODE, "libscorefield", "-Wl,--no-as-needed -L. -lgif")
        self.rejects("libscorefield.so needs libgif", *self.tool)


class Docs(Case):
    def setUp(self):
        super().setUp()
        self.write("include/scorefield/x.h", LICENCE +
                   "/* One. */\nSF_API int sf_one(void);\n\n"
                   "/* Two,\n * at length. */\nSF_API int sf_two(void);\n"
                   "    int a; /* not a comment of its own */\n")
        self.write("src/low/a.c", LICENCE + "/* See docs/A.md. */\n")
        self.write("README.md", "# Read me\n\n[a](docs/A.md#a-head-line)\n"
                   "[b](#read-me) `[c](none.md)`\n```\n[d](none.md)\n```\n"
                   "[e](https://example.org/none)\n")
        self.write("docs/A.md", "## A *head*-line\n[up](../README.md)\n")
        if HAVE_MANDOC:
            self.write("man/p.1", ".Dd January 1, 2024\n.Dt P 1\n.Os\n.Sh NAME\n"
                       ".Nm p\n.Nd print\n")
        self.accepts(*self.tool)

    @property
    def tool(self):
        return "tools/check_docs", "--root", self.root

    def append(self, name, text):
        path = self.root / name
        path.write_text(path.read_text() + text)

    def test_declaration_without_a_comment(self):
        self.append("include/scorefield/x.h", "\nSF_API int sf_x(void);\n")
        self.rejects("no comment above: SF_API int sf_x", *self.tool)

    def test_declaration_below_another_lines_comment(self):
        self.append("include/scorefield/x.h",
                    "\n    int b; /* not a comment of the next line */\n"
                    "SF_API int sf_x(void);\n")
        self.rejects("no comment above: SF_API int sf_x", *self.tool)

    def test_declarations_may_share_a_comment(self):
        self.append("include/scorefield/x.h",
                    "\n/* Both. */\nSF_API int sf_x(void);\n"
                    "SF_API int sf_y(void); /* the other */\n"
                    "SF_API int sf_z(void);\n")
        self.accepts(*self.tool)

    def test_link_to_no_file(self):
        self.append("docs/A.md", "see [x](howto/none.md)\n")
        self.rejects("docs/A.md:3: no file howto/none.md", *self.tool)

    def test_link_to_no_heading(self):
        self.append("docs/A.md", "see [x](../README.md#none)\n")
        self.rejects("no heading #none in README.md", *self.tool)

    def test_picture_that_is_missing(self):
        self.append("README.md", "![x](docs/x.png)\n")
        self.rejects("no file docs/x.png", *self.tool)

    def test_reference_link_to_no_file(self):
        self.append("README.md", "[x]: docs/none.md\n")
        self.rejects("no file docs/none.md", *self.tool)

    def test_comment_that_names_no_file(self):
        self.append("src/low/a.c", "/* See docs/none.md. */\n")
        self.rejects("src/low/a.c:3: no file docs/none.md", *self.tool)

    def test_code_without_a_licence(self):
        self.write("src/low/b.c", "int b;\n")
        self.rejects("src/low/b.c: no SPDX", *self.tool)

    @unittest.skipUnless(HAVE_MANDOC, "mandoc is not installed")
    def test_man_page_with_a_fault(self):
        self.append("man/p.1", ".Sh DESCRIPTION\n.Xx none\n")
        self.rejects("unknown macro", *self.tool)


class Mutants(Case):
    CMAKE = """cmake_minimum_required(VERSION 3.22)
project(p C)
enable_testing()
add_executable(test_a test_a.c)
add_test(NAME low/test_a COMMAND test_a)
"""
    CODE = "static int one(void)\n{\n    return 1;\n}\n" \
        "static int two(void)\n{\n    return 2;\n}\n" \
        "int main(void)\n{\n    return one() == 1 && two() > 0 ? 0 : 1;\n}\n"

    def setUp(self):
        super().setUp()
        self.write("CMakeLists.txt", self.CMAKE)
        self.write("test_a.c", self.CODE)

    def tool(self, *blocks):
        text = "# a comment\n\n"
        for name, test, old, new in blocks:
            text += "mutant %s\nfile test_a.c\ntests %s\n<<<<\n%s====\n" \
                "%s>>>>\n" % (name, test, old, new)
        self.write("tools/mutants.txt", text)
        return self.run_tool("tools/check_mutants", "--root", self.root)

    def test_killed_and_surviving(self):
        one = ("one", "low/test_a", "    return 1;\n", "    return 3;\n")
        two = ("two", "low/test_a", "    return 2;\n", "    return 4;\n")
        status, output = self.tool(one)
        self.assertEqual(status, 0, output)
        self.assertIn("1 of 1 killed", output)
        # `two` survives; `one` is killed after it, so the file was restored.
        status, output = self.tool(two, one)
        self.assertEqual(status, 1, output)
        self.assertRegex(output, "survived *two")
        self.assertIn("1 of 2 killed", output)

    def test_errors_are_not_kills(self):
        test = "low/test_a"
        status, output = self.tool(
            ("w", test, "    return 1;\n", "syntax error\n"),
            ("x", test, "none\n", "still none\n"),
            ("y", test, "{\n", "{{\n"))
        self.assertEqual(status, 1, output)
        self.assertIn("w: it does not compile", output)
        self.assertIn("x: the old text is in test_a.c 0 times", output)
        self.assertIn("y: the old text is in test_a.c 3 times", output)
        self.assertIn("0 of 3 killed", output)

    def test_texts_alone(self):
        test = "low/test_a"
        self.tool(("one", test, "    return 1;\n", "    return 3;\n"))
        line = ["tools/check_mutants", "--texts", "--root", self.root]
        status, output = self.run_tool(*line)
        self.assertEqual(status, 0, output)
        self.assertIn("1 mutants, 0 without their text", output)
        self.write("test_a.c", self.CODE.replace("return 1;", "return 7;"))
        status, output = self.run_tool(*line)
        self.assertEqual(status, 1, output)
        self.assertIn("one: the old text is in test_a.c 0 times", output)

    def draw(self, *options):
        """The names of ten mutants that are tried, all without their text."""
        self.tool(*[("m%d" % k, "low/test_a", "none\n", "x\n")
                    for k in range(10)])
        _, output = self.run_tool("tools/check_mutants", "--texts", "--root",
                                  self.root, *options)
        return [line.split(":")[1].strip() for line in output.splitlines()[:-1]
                if ": the old text" in line]

    def test_share(self):
        self.assertEqual(len(self.draw()), 10)
        drawn = {seed: self.draw("--share", 4, "--seed", seed)
                 for seed in range(4)}
        for seed, names in drawn.items():
            self.assertEqual(len(names), 3, names)
            self.assertEqual(len(set(names)), 3, names)
            self.assertEqual(names, self.draw("--share", 4, "--seed", seed))
        self.assertGreater(len(set(map(tuple, drawn.values()))), 1)

    def test_rules(self):
        self.write("src/num/elementwise.def", "EW(NEG, neg, 1, 0, 1, -a)\n"
                   "EW(LESS, less, 2, 0, 1, a < b)\n"
                   "EW(SELECT, select, 3, 0, 1, a)\n")
        self.write("src/graph/ops.def", "OP(SUM, sum, 1)\n")
        rules = self.write(
            "src/graph/rules.c", "PARTIAL(NEG)\nPARTIAL(LESS)\n"
            "PARTIAL(SELECT)\nVJP(SUM)\nJVP(SUM)\n"
            "    return partials[sfi_at(g, y)->op](g, y, a, b, k);\n"
            "    vjps[sfi_at(g, y)->op](g, y, cotangent, wanted, cot);\n"
            "    return jvps[sfi_at(g, y)->op](g, y, tangent, width);\n")
        test = "low/test_a"
        self.tool(("one", test, "    return 1;\n", "    return 3;\n"))
        line = ["tools/check_mutants", "--texts", "--root", self.root]
        status, output = self.run_tool(*line)
        self.assertEqual(status, 0, output)
        # neg; less by both; nothing asks select; sum both ways; and `one`
        self.assertIn("6 mutants, 0 without their text", output)
        rules.write_text(rules.read_text().replace("vjps[", "vjp["))
        status, output = self.run_tool(*line)
        self.assertEqual(status, 1, output)
        self.assertIn("rule-vjp-sum: the old text is in src/graph/rules.c 0 "
                      "times", output)

    def test_list_that_cannot_be_used(self):
        for block, text in (
                (("x", "low/test_b", "    return 1;\n", ""),
                 "no test is called low/test_b"),
                (("x", "low/test_a", "", "y\n"), "old text is empty"),
                (("x", "low/test_a", "y\n", "y\n"), "are the same")):
            with self.subTest(text):
                status, output = self.tool(block)
                self.assertEqual(status, 2, output)
                self.assertIn(text, output)

    def test_tree_that_fails_without_a_mutant(self):
        self.write("test_a.c", self.CODE.replace("two() > 0", "two() < 0"))
        status, output = self.tool(
            ("one", "low/test_a", "    return 1;\n", "    return 3;\n"))
        self.assertEqual(status, 2, output)
        self.assertIn("low/test_a fails without a mutant", output)


class InstallDeps(Case):
    """With a pretended dpkg-query and apt-get, first in PATH."""

    def setUp(self):
        super().setUp()
        self.calls = self.root / "calls"
        self.script("dpkg-query", 'for p; do :; done; case $p in cmake|%s) '
                    'exit 1;; *) echo installed;; esac' % "libsleef-dev")
        self.script("apt-get", 'echo "$@" >>%s' % self.calls)
        self.script("id", "echo 0")

    def script(self, name, text):
        path = self.write("bin/" + name, "#!/bin/sh\n%s\n" % text)
        path.chmod(0o755)

    def deps(self, *groups, **env):
        return self.run_tool("scripts/install-deps", *groups, PATH="%s:%s" % (
            self.root / "bin", os.environ["PATH"]), **env)

    def test_installs_what_is_missing_by_name(self):
        status, output = self.deps()
        self.assertEqual(status, 0, output)
        self.assertIn("installing with apt-get: cmake libsleef-dev", output)
        calls = self.calls.read_text().splitlines()
        self.assertEqual(len(calls), 2)
        self.assertTrue(calls[0].endswith("update"))
        self.assertTrue(calls[1].endswith(
            "install --no-install-recommends cmake libsleef-dev"))

    def test_silent_when_nothing_is_missing(self):
        self.script("dpkg-query", "echo installed")
        status, output = self.deps("build", "ci")
        self.assertEqual((status, output), (0, ""))
        self.assertFalse(self.calls.exists())

    def test_removed_package_counts_as_missing(self):
        self.script("dpkg-query", "echo config-files")
        status, output = self.deps("ci")
        self.assertEqual(status, 0, output)
        self.assertIn("clang-format", self.calls.read_text())

    def test_failure_of_apt_is_reported(self):
        self.script("apt-get", "echo no network; exit 100")
        status, output = self.deps()
        self.assertEqual(status, 1)
        self.assertIn("could not install: cmake libsleef-dev", output)

    def test_without_root_and_sudo(self):
        self.script("id", "echo 1000")
        for name in ("dirname", "awk", "tr", "env", "sh"):
            (self.root / "bin" / name).symlink_to(shutil.which(name))
        status, output = self.run_tool("scripts/install-deps",
                                       PATH=str(self.root / "bin"))
        self.assertEqual(status, 1, output)
        self.assertIn("You are not root and there is no sudo", output)

    def test_not_a_debian_system(self):
        (self.root / "bin" / "apt-get").unlink()
        for name in ("dirname", "awk", "tr", "env", "sh"):
            (self.root / "bin" / name).symlink_to(shutil.which(name))
        status, output = self.run_tool("scripts/install-deps",
                                       PATH=str(self.root / "bin"))
        self.assertEqual(status, 1, output)
        self.assertIn("not a Debian system", output)
        status, output = self.run_tool("scripts/install-deps",
                                       PATH=str(self.root / "bin"),
                                       SCOREFIELD_DEPS="skip")
        self.assertEqual((status, output), (0, ""))

    def test_unknown_group(self):
        status, output = self.deps("none")
        self.assertEqual(status, 2)
        self.assertIn('no group "none"', output)


if __name__ == "__main__":
    unittest.main()
