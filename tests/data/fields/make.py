#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write the NetCDF files of this folder by the Python package netCDF4, so that what
reads them here was not written by the same code.

    tests/data/fields/make.py FOLDER

The numbers that the tests expect of them were printed by xarray and cftime from
these files (netCDF4 1.7.5, xarray 2026.9, cftime 1.6.6), or follow from the formulas
below.
"""

import pathlib
import sys

import netCDF4
import numpy

FOLDER = pathlib.Path(sys.argv[1])


def create(name, kind, **dims):
    data = netCDF4.Dataset(FOLDER / name, "w", format=kind)
    for dim, size in dims.items():
        data.createDimension(dim, size)
    return data


def axis(data, name, values, kind="f8", dim=None, **attrs):
    var = data.createVariable(name, kind, (dim or name,))
    var.setncatts(attrs)
    var[:] = values
    return var


# Packed with a negative factor of type double; latitudes that fall, longitudes that
# close; unsigned bytes with a factor in float.
def packed():
    data = create("packed.nc", "NETCDF3_64BIT_OFFSET", longitude=8, latitude=5,
                  level=2)
    axis(data, "longitude", numpy.arange(8) * 45.0 - 180, "f4",
         units="degrees_east")
    axis(data, "latitude", [90, 45, 0, -45, -90], "f4", units="degrees_north")
    axis(data, "level", [500, 850], "i4", units="millibars")
    u = data.createVariable("u", "i2", ("level", "latitude", "longitude"))
    u.setncatts(dict(units="m s**-1", standard_name="eastward_wind",
                     scale_factor=-0.00157270493804553, add_offset=26.96875))
    u.set_auto_maskandscale(False)
    u[:] = (numpy.arange(80) * 731 % 65533 - 32766).reshape(2, 5, 8)
    v = data.createVariable("v", "i1", ("latitude", "longitude"))
    v.setncatts(dict(_Unsigned="true", scale_factor=numpy.float32(0.1),
                     missing_value=numpy.int8(-1),
                     valid_range=numpy.array([2, -3], "i1")))
    v.set_auto_maskandscale(False)
    v[:] = (numpy.arange(40) * 7 % 256).astype("u1").view("i1").reshape(5, 8)
    v[4, 7] = -1
    data.close()


# Times of a calendar of 360 days, bounds that join, a scalar coordinate, a grid
# mapping with a radius, a record dimension.
def climate():
    data = create("climate.nc", "NETCDF4", time=None, lat=3, lon=4, bnds=2)
    time = axis(data, "time", [-946800.0, -938160.0, -929520.0],
                units="hours since 1970-01-01 00:00:00", calendar="360_day",
                standard_name="time", bounds="time_bnds", axis="T")
    bounds = data.createVariable("time_bnds", "f8", ("time", "bnds"))
    bounds[:] = numpy.stack([time[:] - 4320, time[:] + 4320], 1)
    axis(data, "lat", [15, 30, 50], "f4", units="degrees_north",
         standard_name="latitude", axis="Y", bounds="lat_bnds")
    lat_bounds = data.createVariable("lat_bnds", "f4", ("lat", "bnds"))
    lat_bounds[:] = [[5, 20], [20, 40], [40, 60]]
    axis(data, "lon", [225, 240, 255, 270], "f4", units="degrees_east")
    height = data.createVariable("height", "f8", ())
    height.units = "m"
    height[...] = 1.5
    crs = data.createVariable("crs", "i4", ())
    crs.grid_mapping_name = "latitude_longitude"
    crs.earth_radius = 6371220.0
    crs[...] = 0
    t = data.createVariable("t", "f4", ("time", "lat", "lon"), zlib=True,
                            complevel=4, fill_value=-9999.0)
    t.units = "K"
    t.long_name = "air temperature"
    t.coordinates = "height"
    t.grid_mapping = "crs"
    t.cell_methods = "time: mean"
    values = 250 + numpy.arange(36, dtype="f4").reshape(3, 3, 4)
    values[1, 2, 3] = -9999
    t.set_auto_maskandscale(False)
    t[:] = values
    data.history = "made for tests"
    data.close()


# Groups, a coordinate in the root, texts as NC_STRING, an unsigned type.
def groups():
    data = create("groups.nc", "NETCDF4", x=3)
    axis(data, "x", [0, 1, 2.5], units="m", axis="X")
    group = data.createGroup("run").createGroup("two")
    group.createDimension("y", 2)
    y = group.createVariable("y", "f8", ("y",))
    y[:] = [10, 20]
    q = group.createVariable("q", "u2", ("y", "x"))
    q.setncattr_string("units", "kg")
    q.set_auto_maskandscale(False)
    q[:] = [[1, 2, 3], [4, 65535, 65534]]
    data.close()


# Positions in two dimensions; cells of a mesh; a repeated column; coordinates
# that are not monotonic; a dimension of length 0.
def shapes():
    data = create("shapes.nc", "NETCDF3_64BIT_DATA", y=2, x=3, cell=4, lon=5,
                  odd=3, record=None)
    lat2 = data.createVariable("lat2", "f8", ("y", "x"))
    lat2.units = "degrees_north"
    lat2[:] = numpy.arange(6).reshape(2, 3)
    a = data.createVariable("a", "f8", ("y", "x"))
    a.coordinates = "lat2"
    a[:] = numpy.arange(6).reshape(2, 3)
    lat1 = data.createVariable("lat1", "f8", ("cell",))
    lat1.units = "degrees_north"
    lat1[:] = [1, 2, 3, 4]
    b = data.createVariable("b", "f8", ("cell",))
    b.coordinates = "lat1"
    b[:] = [4, 5, 6, 7]
    axis(data, "lon", [0, 90, 180, 270, 360], units="degrees_east")
    c = data.createVariable("c", "f8", ("lon",))
    c[:] = [1, 2, 3, 4, 1]
    axis(data, "odd", [1, 3, 2])
    d = data.createVariable("d", "f8", ("odd",))
    d[:] = [1, 2, 3]
    e = data.createVariable("e", "f8", ("record", "lon"))
    e.units = "m"
    label = data.createVariable("label", "S1", ("x",))
    label[:] = numpy.array([b"a", b"b", b"c"])
    data.close()


# Positions in two dimensions, over the date line; transposed in one of them; winds
# east and north.
def curved():
    data = create("curved.nc", "NETCDF3_CLASSIC", time=2, j=4, i=6)
    axis(data, "time", [0, 31], units="days since 2000-01-01")
    i, j = numpy.meshgrid(numpy.arange(6), numpy.arange(4))
    lat = data.createVariable("lat", "f4", ("j", "i"))
    lat.setncatts(dict(units="degrees_north", standard_name="latitude"))
    lat[:] = 40 + 3 * j + i
    lon = data.createVariable("lon", "f4", ("i", "j"))
    lon.setncatts(dict(units="degrees_east", standard_name="longitude"))
    lon[:] = ((170 + 4 * i - j + 180) % 360 - 180).T
    for name, unit, word, value in (
            ("ice", "degC", "sea_surface_temperature", i - 2.0 * j),
            ("ua", "m s-1", "eastward_wind", 0 * i + 5.0),
            ("va", "m s-1", "northward_wind", 1.0 * j)):
        v = data.createVariable(name, "f4", ("time", "j", "i"))
        v.setncatts(dict(units=unit, standard_name=word, coordinates="lat lon"))
        v[:] = numpy.stack([value, value + 1])
    data.close()


for make in (packed, climate, groups, shapes, curved):
    make()
