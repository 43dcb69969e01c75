/* SPDX-License-Identifier: Apache-2.0 */
/* vtk.c - files of the Visualization Toolkit's XML formats. */
#include "io/vtk.h"

#include <string.h>

static int64_t points(const sfi_vtk_grid *g)
{
    return g->count[0] * g->count[1] * g->count[2];
}

static uint64_t bytes_of(const sfi_vtk_grid *g, const sfi_vtk_array *a)
{
    return (uint64_t)points(g) * (uint64_t)a->components *
           sf_dtype_size(a->dtype);
}

/* Text within quotes of XML. */
static void put_quoted(sfi_output *out, const char *text)
{
    for (; *text != '\0'; text++) {
        const char c = *text;
        if (c == '&')
            sfi_output_text(out, "&amp;");
        else if (c == '<')
            sfi_output_text(out, "&lt;");
        else if (c == '"')
            sfi_output_text(out, "&quot;");
        else if ((unsigned char)c >= 0x20)
            sfi_output_byte(out, c);
    }
}

static void put_array(sfi_output *out, const char *name, sf_dtype dtype,
                      int components, uint64_t *offset, uint64_t bytes)
{
    sfi_output_format(out, "        <DataArray type=\"Float%d\" Name=\"",
                      8 * (int)sf_dtype_size(dtype));
    put_quoted(out, name);
    sfi_output_format(out,
                      "\" NumberOfComponents=\"%d\" format=\"appended\" "
                      "offset=\"%llu\"/>\n",
                      components, (unsigned long long)*offset);
    *offset += sizeof(uint64_t) + bytes;
}

static void put_numbers(sfi_output *out, const char *key, const double *x)
{
    sfi_output_format(out, " %s=\"", key);
    for (int k = 0; k < 3; k++) {
        if (k > 0)
            sfi_output_byte(out, ' ');
        sfi_output_number(out, x[k]);
    }
    sfi_output_byte(out, '"');
}

static void put_extent(sfi_output *out, const char *key, const sfi_vtk_grid *g)
{
    sfi_output_format(out, " %s=\"0 %lld 0 %lld 0 %lld\"", key,
                      (long long)g->count[0] - 1, (long long)g->count[1] - 1,
                      (long long)g->count[2] - 1);
}

static void put_size(sfi_output *out, uint64_t bytes)
{
    unsigned char text[8];
    for (int i = 0; i < 8; i++)
        text[i] = (unsigned char)(bytes >> 8 * i);
    sfi_output_write(out, text, sizeof text);
}

void sfi_vtk_begin(sfi_output *out, const sfi_vtk_grid *g, int count,
                   const sfi_vtk_array *arrays)
{
    static const char *const names[] = {"x", "y", "z"};
    const char *type = g->is_uniform ? "ImageData" : "RectilinearGrid";
    uint64_t offset = 0;
    sfi_output_format(out,
                      "<?xml version=\"1.0\"?>\n<VTKFile type=\"%s\" "
                      "version=\"1.0\" byte_order=\"LittleEndian\" "
                      "header_type=\"UInt64\">\n  <%s",
                      type, type);
    put_extent(out, "WholeExtent", g);
    if (g->is_uniform) {
        put_numbers(out, "Origin", g->first);
        put_numbers(out, "Spacing", g->step);
    }
    sfi_output_text(out, ">\n    <Piece");
    put_extent(out, "Extent", g);
    sfi_output_text(out, ">\n      <PointData>\n");
    for (int i = 0; i < count; i++)
        put_array(out, arrays[i].name, arrays[i].dtype, arrays[i].components,
                  &offset, bytes_of(g, &arrays[i]));
    sfi_output_text(out, "      </PointData>\n");
    if (!g->is_uniform) {
        sfi_output_text(out, "      <Coordinates>\n");
        for (int k = 0; k < 3; k++)
            put_array(out, names[k], SF_F64, 1, &offset,
                      (uint64_t)g->count[k] * sizeof(double));
        sfi_output_text(out, "      </Coordinates>\n");
    }
    sfi_output_format(out,
                      "    </Piece>\n  </%s>\n  <AppendedData "
                      "encoding=\"raw\">\n_",
                      type);
}

void sfi_vtk_begin_array(sfi_output *out, const sfi_vtk_grid *g,
                         const sfi_vtk_array *a)
{
    put_size(out, bytes_of(g, a));
}

void sfi_vtk_coordinates(sfi_output *out, const sfi_vtk_grid *g)
{
    for (int k = 0; k < 3 && !g->is_uniform; k++) {
        const size_t bytes = (size_t)g->count[k] * sizeof(double);
        put_size(out, bytes);
        sfi_output_write(out, g->coords[k], bytes);
    }
}

void sfi_vtk_end(sfi_output *out)
{
    sfi_output_text(out, "\n  </AppendedData>\n</VTKFile>\n");
}

sf_status sfi_vtk_list(sfi_output *out, int count, const char *const *files,
                       const double *times)
{
    sfi_output_text(out, "<?xml version=\"1.0\"?>\n<VTKFile "
                         "type=\"Collection\" version=\"1.0\">\n  "
                         "<Collection>\n");
    for (int i = 0; i < count; i++) {
        sfi_output_text(out, "    <DataSet timestep=\"");
        sfi_output_number(out, times != NULL ? times[i] : (double)i);
        sfi_output_text(out, "\" file=\"");
        put_quoted(out, files[i]);
        sfi_output_text(out, "\"/>\n");
    }
    return sfi_output_text(out, "  </Collection>\n</VTKFile>\n");
}
