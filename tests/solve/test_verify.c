/* SPDX-License-Identifier: Apache-2.0 */
/* test_verify.c - every side, on every geometry, by every engine, has order 2. */
#include "faults.h"

#include "scorefield/action.h"

/* ---- the table ---------------------------------------------------------------------- */

/* Geometries with a side to fill in: %d is a number of intervals, %s what follows the points
 * of an axis.  The solution is smooth there, also at r = 0 and at poles. */
static const struct geometry {
    const char *name, *grid, *axis, *exact;
} geometries[] = {
    {"cartesian", "x = 0:1:%d %s; y = 0:1.2:%d pin 0, natural", "x",
     "sin(1.3*x + 0.4)*cos(1.1*y + 0.2)"},
    {"cartesian, stretched",
     "x = 0:1:%d map s^1.4+s %s; y = 0:1.2:%d pin 0, natural", "x",
     "sin(1.3*x + 0.4)*cos(1.1*y + 0.2)"},
    {"polar, to r = 0", "r = 0:1:%d natural, %s; theta = 0:tau:%d periodic",
     "r", "sin(0.9*r*cos(theta) + 0.3)*cos(0.7*r*sin(theta))"},
    {"polar, a ring", "r = 1:2:%d pin 0, %s; theta = 0:tau:%d periodic", "r",
     "sin(0.9*r*cos(theta) + 0.3)*cos(0.7*r*sin(theta))"},
    {"polar, a sector", "r = 0.5:1.5:%d; theta = 0:1.5:%d pin 0, %s", "theta",
     "sin(0.9*r*cos(theta) + 0.3)*cos(0.7*r*sin(theta))"},
    {"axisymmetric", "r = 0:1:%d natural, %s; z = 0:1:%d", "r",
     "cos(0.8*r^2 + 0.3)*(1.5 + 0.4*cos(pi*z))"},
    {"sphere, to a pole",
     "lat = -90:30:%d natural, %s; lon = 0:360:%d periodic; radius = 1.5",
     "lat",
     "exp(0.5*cos(lat*pi/180)*cos(lon*pi/180))*(1 + 0.3*sin(lat*pi/180))"},
    {"sphere, a sector",
     "lat = -50:30:%d natural, pin 0; lon = 0:80:%d natural, %s; radius = 1.5",
     "lon", "exp(0.5*cos(lat*pi/180)*cos(lon*pi/180 + 0.3))"},
    {"radial", "r = 0:1:%d natural, %s; geometry = radial", "r",
     "cos(0.8*r^2 + 0.3)"},
};

/* A natural side has the solution's flux, and so is one of these. */
static const char *const sides[] = {"pin 0", "flux 0", "robin 1.5, 0",
                                    "boundary"};

/* Densities, and what solves them. */
static const struct equation {
    const char *density, *boundary;
    const char *engine, *on_boxes; /* the latter with constant coefficients   */
    bool is_cells;                 /* of second order in slopes, so for cells */
} equations[] = {
    {"0.5*grad2(phi) + 0.5*phi^2", "phi^2 + 0.3*phi", "conjugate gradients",
     "transforms", true},
    {"0.5*(2 + cos(COORD/40))*grad2(phi) + 0.2*phi^2", "phi^2",
     "conjugate gradients", NULL, true},
    {"0.5*(1 + 0.1*phi^2)*grad2(phi) + 0.25*phi^4 + 0.5*phi^2",
     "0.25*phi^4 + 0.5*phi^2", "Newton", NULL, true},
    {"sqrt(1 + grad2(phi)) + 0.5*phi^2", "0.25*phi^4", "Newton", NULL, false},
    {"0.5*grad2(phi) + phi^2 - 0.5*grad2(psi) - psi^2 + 0.3*phi*psi",
     "0.4*phi^2 - 0.4*psi^2", "minimal residuals", NULL, true},
};

/* "COORD" is the axis with the side. */
static void write_density(const char *text, const struct geometry *g, char *out)
{
    while (*text != '\0') {
        if (strncmp(text, "COORD", 5) == 0) {
            out += sprintf(out, "%s", g->axis);
            text += 5;
        } else {
            *out++ = *text++;
        }
    }
    *out = '\0';
}

/* The grid with a side, of nodes or cells; "tau" is a turn. */
static void write_grid(const struct geometry *g, const char *side, bool cells,
                       int n, char *out, size_t size)
{
    char form[300], filled[300];
    const char *tau = strstr(g->grid, "tau");
    const int before =
        tau != NULL ? (int)(tau - g->grid) : (int)strlen(g->grid);
    snprintf(form, sizeof form, "%.*s%s%s", before, g->grid,
             tau != NULL ? "6.283185307179586" : "",
             tau != NULL ? tau + 3 : "");
    /* Numbers of points: nodes have one more, closed axes and cells none. */
    char *to = filled;
    for (const char *p = form; *p != '\0';) {
        if (strncmp(p, "%d", 2) == 0) {
            const char *end = strchr(p, ';');
            const char *closed = strstr(p, "periodic");
            const bool is_closed =
                closed != NULL && (end == NULL || closed < end);
            to += sprintf(to, "%d%s", n + (is_closed || cells ? 0 : 1),
                          cells && !is_closed ? " cells" : "");
            p += 2;
        } else if (strncmp(p, "%s", 2) == 0) {
            to += sprintf(to, "%s", side);
            p += 2;
        } else {
            *to++ = *p++;
        }
    }
    *to = '\0';
    snprintf(out, size, "%s", filled);
}

/* One row: the last order that is seen, and the engine. */
static double order_of(sf_context *ctx, const struct geometry *g,
                       const struct equation *q, const char *side, bool cells,
                       int n, char *engine)
{
    char grid[300], density[200], wall[40];
    const bool boundary = strcmp(side, "boundary") == 0;
    sf_grid *made = NULL;
    sf_action *a = NULL;
    sf_action_level levels[SF_MOST_LEVELS];
    int count = 0;
    write_grid(g, boundary ? "natural" : side, cells, n, grid, sizeof grid);
    write_density(q->density, g, density);
    CHECK_OK(ctx, sf_grid_parse(ctx, &made, grid));
    CHECK_OK(ctx, sf_action_new(ctx, &a, made, density, SF_ENERGY,
                                strstr(density, "psi") != NULL ? 2 : 1,
                                (const char *const[]){"phi", "psi"}));
    snprintf(wall, sizeof wall, "%s+", g->axis);
    if (boundary)
        CHECK_OK(ctx, sf_action_boundary(a, wall, q->boundary));
    /* Of an energy that is negative, so is what its side adds. */
    if (strstr(density, "psi") != NULL && strstr(side, "robin") != NULL)
        CHECK_OK(ctx, sf_action_side(a, "psi", wall, "robin -1.5, 0"));
    const sf_status status = sf_action_verify(
        a, (const char *const[]){g->exact, g->exact}, levels, &count);
    if (status != SF_OK)
        fprintf(stderr, "%s, %s: %s\n", grid, density, sf_context_message(ctx));
    const double order = status == SF_OK ? levels[count - 1].order : NAN;
    snprintf(engine, 80, "%s", status == SF_OK ? levels[count - 1].engine : "");
    sf_action_free(a);
    sf_grid_free(made);
    return order;
}

TEST(every_side_has_order_two)
{
    sf_context *ctx = new_context();
    int rows = 0;
    for (size_t i = 0; i < SFI_COUNT(geometries); i++)
        for (size_t e = 0; e < SFI_COUNT(equations); e++)
            for (size_t s = 0; s < SFI_COUNT(sides); s++)
                for (int cells = 0; cells < 2; cells++) {
                    const struct geometry *g = &geometries[i];
                    const struct equation *q = &equations[e];
                    char engine[80];
                    const bool boundary = strcmp(sides[s], "boundary") == 0;
                    const bool stretched = i == 1; /* beside i == 0 */
                    if ((cells && (boundary || !q->is_cells)) ||
                        (stretched && e > 1))
                        continue;
                    const double order =
                        order_of(ctx, g, q, sides[s], cells, 32, engine);
                    rows++;
                    if (!(fabs(order - 2.0) <= 0.15))
                        fprintf(stderr, "%s, %s, %s, %s by %s: %.3f\n", g->name,
                                cells ? "cells" : "nodes", sides[s], q->density,
                                engine, order);
                    CHECK(fabs(order - 2.0) <= 0.15);
                    const bool box = i == 0 && q->on_boxes != NULL &&
                                     strstr(sides[s], "robin") == NULL &&
                                     !boundary;
                    if (strstr(engine, box ? q->on_boxes : q->engine) == NULL)
                        fprintf(stderr, "%s, %s, %s: by %s\n", g->name,
                                sides[s], q->density, engine);
                    CHECK(strstr(engine, box ? q->on_boxes : q->engine) !=
                          NULL);
                }
    CHECK(rows == 8 * (4 * 7 + 4) + 2 * 7);
    sf_context_free(ctx);
}

/* What takes many points, or no sides. */
TEST(the_other_engines_have_order_two)
{
    static const struct {
        const char *grid, *density, *exact, *engine;
    } rows[] = {
        {"x = 0:1:257 robin 1, 0; y = 0:1:257 flux 0",
         "0.5*(1 + x*y)*grad2(phi)", "sin(1.3*x + 0.4)*cos(1.1*y + 0.2)",
         "multigrid"},
        {"r = 0:1:257 natural, flux 0; theta = 0:6.283185307179586:256 "
         "periodic",
         "0.5*grad2(phi) + 0.5*phi^2",
         "sin(0.9*r*cos(theta) + 0.3)*cos(0.7*r*sin(theta))", "multigrid"},
        {"x = -2:2:65 open; y = -2:2:65 open", "0.5*grad2(phi)",
         "exp(-8*(x^2 + y^2))", "open space"},
    };
    sf_context *ctx = new_context();
    for (size_t i = 0; i < SFI_COUNT(rows); i++) {
        sf_grid *g = NULL;
        sf_action *a = NULL;
        sf_action_level levels[SF_MOST_LEVELS];
        int count = 0;
        CHECK_OK(ctx, sf_grid_parse(ctx, &g, rows[i].grid));
        CHECK_OK(ctx, sf_action_new(ctx, &a, g, rows[i].density, SF_ENERGY, 1,
                                    (const char *const[]){"phi"}));
        CHECK_OK(ctx, sf_action_verify(a, &rows[i].exact, levels, &count));
        CHECK_NEAR(levels[count - 1].order, 2.0, 0.15);
        CHECK(strstr(levels[count - 1].engine, rows[i].engine) != NULL);
        sf_action_free(a);
        sf_grid_free(g);
    }
    sf_context_free(ctx);
}

TESTS(CASE(every_side_has_order_two), CASE(the_other_engines_have_order_two))
