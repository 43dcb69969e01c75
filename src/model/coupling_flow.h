/* SPDX-License-Identifier: Apache-2.0 */
/* coupling_flow.h - invertible flows, as those who train them make them. */
#ifndef SFI_COUPLING_FLOW_H
#define SFI_COUPLING_FLOW_H

#include "model/model.h"

typedef enum sfi_coupling { SFI_SPLINE, SFI_AFFINE } sfi_coupling;

typedef struct sfi_flow_shape {
    int64_t layers, width, bins;
    sfi_coupling coupling;
    double principal; /* the weight of the regulariser it is trained with     */
    bool one_scale;   /* all columns have the same scale                      */
} sfi_flow_shape;

/* The numbers of a flow [SFI_MAX_NUMBERS]; their count. */
int sfi_flow_numbers(sfi_number *out, const sfi_flow_shape *shape);

/* The identity but for the order of the columns, which the seed decides, and for the
 * inner layers of its networks.  SF_OK or SF_E_NOMEM. */
sf_status sfi_flow_initialise(sf_model *m, uint64_t seed);

/* The architecture's numbers are checked and its weights declared: also for families that are
 * made of a flow, which may have declared one weight of their own before.  SF_OK, SF_E_FORMAT or SF_E_NOMEM. */
sf_status sfi_flow_declare(sf_model *m);
/* SF_OK, or SF_E_FORMAT: an order that is none, or a scale that is too large. */
sf_status sfi_flow_check(const sf_model *m);

/* The way back, with weights that may be trained: inverses of triangles by products,
 * (I + N)^-1 = (I - N)(I + N^2)(I + N^4) ..., since N^d = 0. */
sf_node sfi_flow_backward(const sf_model *m, sf_graph *g, sf_node z,
                          const sf_node *weights);

/* z = g(y), and ln |dz/dy|. */
sf_node sfi_flow_forward(const sf_model *m, sf_graph *g, sf_node y,
                         const sf_node *weights, sf_node *log_det);

/* The same, and the Jacobian dz/dy [d, d], of at most SFI_FLOW_JACOBIAN columns: one number
 * passes through each coupling, so that one forward derivative of its network gives all of
 * it. */
enum { SFI_FLOW_JACOBIAN = 3 };
sf_node sfi_flow_jacobian(const sf_model *m, sf_graph *g, sf_node y,
                          const sf_node *weights, sf_node *log_det,
                          sf_node *jacobian);

#endif
