"""Importer of the pretrained models that Emulsion ships: packages in, checked ONNX files and a manifest out."""
