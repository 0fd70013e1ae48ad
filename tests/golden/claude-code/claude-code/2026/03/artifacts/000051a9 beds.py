BEDS = 4


def beds():
    return BEDS
