"""Files that hold values and arrays: no pickle, nothing in them runs, and no length in them is trusted unchecked.

`values` turns Python values into JSON and a list of arrays, and back; `envelope` makes one checked block of bytes of a JSON header and
arrays; `replacement` puts bytes in the place of a file, whole or not at all.
"""
