"""Takes the JSON schemas of some versions of Kubernetes out of kubernetes-validate's wheel: schemas.py WHEEL FOLDER VERSION…

They name each other by addresses at kubernetes.io; here they become files that lie side by side, so that nothing is
fetched."""

import pathlib
import re
import sys
import zipfile

wheel, folder, *versions = sys.argv[1:]
with zipfile.ZipFile(wheel) as archive:
    for name in archive.namelist():
        path = pathlib.PurePosixPath(name)
        if path.suffix != ".json" or path.parent.name not in [f"v{version}-local-strict" for version in versions]:
            continue
        text = archive.read(name).decode()
        text = text.replace('"/api/_definitions.json#', '"_definitions.json#')
        text = re.sub(r',\s*"\$id": "[^"]*"', "", re.sub(r'"\$id": "[^"]*",', "", text))
        target = pathlib.Path(folder, path.parent.name, path.name)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
