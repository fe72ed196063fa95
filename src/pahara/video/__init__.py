"""Files, folders, webcams and RTSP in; clips and annotated video out."""
