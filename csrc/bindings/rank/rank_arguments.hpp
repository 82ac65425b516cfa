// How the rank kernels' arguments arrive from Python; shared by the register_*.cpp files of the family.
#pragma once

#include <string>

#include "bindings/arrays.hpp"
#include "rank/paired/model.hpp"
#include "rank/table/pair_graph.hpp"

namespace steelyard::bindings {

/// 'davidson', 'rao-kupper' or anything else for none.
rank::Model make_model(const std::string& ties, bool home, double prior);

/// With the covariates that the graph carries.
rank::Model make_model(const rank::PairGraph& graph, const std::string& ties, bool home, double prior);

rank::Parameters make_parameters(const Array<double>& strengths, double tie, double home);
rank::Parameters make_parameters(const Array<double>& strengths, double tie, double home,
                                 const Array<double>& coefficients, const rank::Model& model);

/// Views of the cells' numbers, checked against the graph's size.
rank::Counts make_counts(const rank::PairGraph& graph, const Array<double>& wins, const Array<double>& losses,
                         const OptionalArray<double>& ties);

}  // namespace steelyard::bindings
