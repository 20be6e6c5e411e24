"""Why something may not be written, in English and French."""

from __future__ import annotations

TEXTS = {
    "clash": {
        "en": "{argument} must be new, or what {command} wrote for the same model and "
        "nobody changed; in the way: {found}. Choose another place, or replace "
        "it by --overwrite (in Python overwrite=True).",
        "fr": "{argument} doit être nouveau, ou ce que {command} a écrit pour le même "
        "modèle et que personne n'a changé ; déjà là : {found}. Choisir un autre "
        "endroit, ou remplacer par --overwrite (en Python overwrite=True).",
    },
    "foreign": {"en": "not on record", "fr": "d'origine inconnue"},
    "other": {"en": "of another model", "fr": "d'un autre modèle"},
    "changed": {"en": "changed since", "fr": "modifié depuis"},
    "model": {
        "en": "{argument} must lie outside every model folder, which holds a model and "
        "nothing else, got {name}. Choose another place.",
        "fr": "{argument} doit se trouver hors de tout dossier de modèle, qui contient "
        "un modèle et rien d'autre, reçu {name}. Choisir un autre endroit.",
    },
    "input": {
        "en": "{argument} must be another place than what is read, got {name}. Choose "
        "another name.",
        "fr": "{argument} doit être un autre endroit que ce qui est lu, reçu {name}. "
        "Choisir un autre nom.",
    },
    "twice": {
        "en": "{argument} must have a place of its own, got {name} twice. Choose "
        "another name.",
        "fr": "{argument} doit avoir un endroit à soi, reçu {name} deux fois. Choisir "
        "un autre nom.",
    },
    "folder": {
        "en": "{argument} must be a file, got the folder {name}. Choose another name.",
        "fr": "{argument} doit être un fichier, reçu le dossier {name}. Choisir un "
        "autre nom.",
    },
    "file": {
        "en": "{argument} must be a folder, got {name}, which is none. Choose another "
        "name.",
        "fr": "{argument} doit être un dossier, reçu {name}, qui n'en est pas un. "
        "Choisir un autre nom.",
    },
    "special": {
        "en": "{argument} must be an ordinary file, got {name}. Choose another name.",
        "fr": "{argument} doit être un fichier ordinaire, reçu {name}. Choisir un "
        "autre nom.",
    },
    "parent": {
        "en": "{argument} must lie in an existing directory, got {name}. Make it "
        "first.",
        "fr": "{argument} doit se trouver dans un dossier qui existe, reçu {name}. Le "
        "créer d'abord.",
    },
}
