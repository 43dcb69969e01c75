/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_peers.c - our matrix products beside those of libxsmm, oneDNN and
 * OpenBLAS, on one core, in turns within one run.  In single precision, at the
 * sizes of a dense layer applied to a block of points:
 *
 *   A B     the layer:             [m, k] times [k, n]
 *   A' B    its input's gradient:  A is read transposed
 *   dY X'   its weights' gradient: [m, n] times the transpose of [k, n]
 *
 * All operands are row-major.  Built with -DSCOREFIELD_GEMM_PEERS=ON. */
#include "../floor.h"

#include <cblas.h>
#include <dnnl.h>
#include <libxsmm.h>
#include <omp.h>

static const int turns = 25;

typedef struct product {
    const sfi_loops *loops;
    int m, n, k;
    float *a, *at, *b, *c, *w;
    void *work;
    libxsmm_smmfunction xsmm;
} product;

static void ours_ab(void *state)
{
    product *p = state;
    const sfi_gemm g = {p->m, p->n, p->k, p->a, p->k, 1,
                        p->b, p->n, p->c, p->n, NULL, false};
    p->loops->gemm(&g, p->work);
}

static void ours_atb(void *state)
{
    product *p = state;
    const sfi_gemm g = {p->m, p->n, p->k, p->at, 1,    p->m,
                        p->b, p->n, p->c, p->n,  NULL, false};
    p->loops->gemm(&g, p->work);
}

static void ours_nt(void *state)
{
    product *p = state;
    const sfi_gemm_nt g = {p->m, p->k, p->n, p->c, p->n,
                           p->b, p->n, p->w, p->k, true};
    p->loops->gemm_nt(&g, p->work);
}

/* libxsmm is column-major: its C is our C transposed. */
static void xsmm_ab(void *state)
{
    product *p = state;
    p->xsmm(p->b, p->a, p->c);
}

static void onednn_ab(void *state)
{
    product *p = state;
    dnnl_sgemm('N', 'N', p->m, p->n, p->k, 1.0F, p->a, p->k, p->b, p->n, 0.0F,
               p->c, p->n);
}

static void onednn_atb(void *state)
{
    product *p = state;
    dnnl_sgemm('T', 'N', p->m, p->n, p->k, 1.0F, p->at, p->m, p->b, p->n, 0.0F,
               p->c, p->n);
}

static void onednn_nt(void *state)
{
    product *p = state;
    dnnl_sgemm('N', 'T', p->m, p->k, p->n, 1.0F, p->c, p->n, p->b, p->n, 1.0F,
               p->w, p->k);
}

static void blas_ab(void *state)
{
    product *p = state;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p->m, p->n, p->k,
                1.0F, p->a, p->k, p->b, p->n, 0.0F, p->c, p->n);
}

static void blas_atb(void *state)
{
    product *p = state;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p->m, p->n, p->k, 1.0F,
                p->at, p->m, p->b, p->n, 0.0F, p->c, p->n);
}

static void blas_nt(void *state)
{
    product *p = state;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, p->m, p->k, p->n, 1.0F,
                p->c, p->n, p->b, p->n, 1.0F, p->w, p->k);
}

static void bench(const sfi_loops *loops, int m, int k, int n)
{
    product p = {.loops = loops, .m = m, .n = n, .k = k};
    p.a = random_numbers(SF_F32, (int64_t)m * k);
    p.at = random_numbers(SF_F32, (int64_t)m * k);
    p.b = random_numbers(SF_F32, (int64_t)k * n);
    p.c = random_numbers(SF_F32, (int64_t)m * n);
    p.w = random_numbers(SF_F32, (int64_t)m * k);
    const size_t bytes =
        loops->gemm_work(m, n, k) + loops->gemm_nt_work(m, k, n);
    p.work = aligned_alloc(64, (bytes + 63) / 64 * 64);
    const float one = 1.0F, zero = 0.0F;
    p.xsmm =
        libxsmm_smmdispatch(n, m, k, NULL, NULL, NULL, &one, &zero, NULL, NULL);
    const double flops = 2.0 * m * n * k;
    contestant all[] = {fma_floor(loops),
                        {"ours", ours_ab, &p, flops, 0},
                        {"libxsmm", xsmm_ab, &p, flops, 0},
                        {"oneDNN", onednn_ab, &p, flops, 0},
                        {"OpenBLAS", blas_ab, &p, flops, 0},
                        {"ours", ours_atb, &p, flops, 0},
                        {"oneDNN", onednn_atb, &p, flops, 0},
                        {"OpenBLAS", blas_atb, &p, flops, 0},
                        {"ours", ours_nt, &p, flops, 0},
                        {"oneDNN", onednn_nt, &p, flops, 0},
                        {"OpenBLAS", blas_nt, &p, flops, 0}};
    if (p.xsmm == NULL) /* it makes no code for this size */
        all[2] = all[1];
    compete(all, SFI_COUNT(all), turns);
    if (p.xsmm == NULL)
        all[2].best = NAN;
    printf("%4d %4d %4d %7.1f ", m, k, n, all[0].best * 1e-9);
    for (size_t i = 1; i < SFI_COUNT(all); i++)
        printf("%s%7.1f", i == 5 || i == 8 ? "  |" : "", all[i].best * 1e-9);
    printf("\n");
    free(p.a);
    free(p.at);
    free(p.b);
    free(p.c);
    free(p.w);
    free(p.work);
}

int main(void)
{
    static const int sizes[] = {128, 512};
    static const int points[] = {64, 128, 256};
    const sfi_loops *loops = sfi_loops_for(SF_F32);
    sfi_flush_denormals();
    omp_set_num_threads(1);
    printf("GFLOP/s, f32, %s, one core\n"
           "   m    k    n   floor | A B: ours libxsmm oneDNN OpenBLAS"
           " | A' B: ours oneDNN OpenBLAS | dY X': ours oneDNN OpenBLAS\n",
           loops->isa);
    for (size_t s = 0; s < SFI_COUNT(sizes); s++)
        for (size_t i = 0; i < SFI_COUNT(points); i++)
            bench(loops, sizes[s], sizes[s], points[i]);
    return EXIT_SUCCESS;
}
