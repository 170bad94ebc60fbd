"""Which sector the ranges of SIC codes belong to, as near as they come; the narrowest range counts.

Source: the division of the SEC's Standard Industrial Classification code list, its titles read
against the published descriptions of the eleven sectors. SIC is of 1987 and coarser: whoever knows
better says so in an override.
"""

_IT, _FIN, _HEALTH = "Information Technology", "Financials", "Health Care"
_CYCLICAL, _STAPLES, _ENERGY = "Consumer Discretionary", "Consumer Staples", "Energy"
_IND, _MAT, _UTIL = "Industrials", "Materials", "Utilities"
_ESTATE, _COM = "Real Estate", "Communication Services"

RANGES: tuple[tuple[int, int, str], ...] = (
    (100, 299, _STAPLES),  # agriculture
    (700, 799, _STAPLES),  # services to it
    (800, 899, _MAT),  # forestry
    (900, 999, _STAPLES),  # fishing
    (1000, 1099, _MAT),  # metal mining
    (1200, 1399, _ENERGY),  # coal; oil and gas, with services
    (1400, 1499, _MAT),  # stone, sand, other minerals
    (1500, 1799, _IND),  # construction
    (1520, 1531, _CYCLICAL),  # builders of homes
    (2000, 2199, _STAPLES),  # food, beverages, tobacco
    (2200, 2399, _CYCLICAL),  # textiles, apparel
    (2400, 2499, _MAT),  # lumber and wood
    (2451, 2452, _CYCLICAL),  # mobile and prefabricated homes
    (2500, 2599, _IND),  # furniture of offices
    (2510, 2519, _CYCLICAL),  # furniture of homes
    (2600, 2699, _MAT),  # paper, packaging
    (2700, 2749, _COM),  # publishing
    (2750, 2799, _IND),  # printing
    (2800, 2899, _MAT),  # chemicals
    (2830, 2836, _HEALTH),  # drugs
    (2840, 2844, _STAPLES),  # soap, cosmetics
    (2900, 2999, _ENERGY),  # refining
    (3000, 3199, _CYCLICAL),  # tyres, footwear, leather
    (3050, 3099, _MAT),  # other rubber and plastics
    (3200, 3399, _MAT),  # glass, cement, metals
    (3400, 3569, _IND),  # metal products, machinery
    (3410, 3412, _MAT),  # cans
    (3533, 3533, _ENERGY),  # oil field machinery
    (3570, 3579, _IT),  # computers
    (3580, 3659, _IND),  # machinery, electrical equipment
    (3630, 3639, _CYCLICAL),  # household appliances
    (3651, 3652, _CYCLICAL),  # household audio and video
    (3660, 3679, _IT),  # communication equipment, semiconductors
    (3690, 3699, _IND),  # other electrical
    (3700, 3799, _IND),  # aircraft, ships, trains
    (3710, 3716, _CYCLICAL),  # cars and their parts
    (3750, 3751, _CYCLICAL),  # motorcycles
    (3800, 3824, _IND),  # navigation, controls
    (3825, 3829, _IT),  # measuring instruments
    (3826, 3826, _HEALTH),  # of laboratories
    (3840, 3851, _HEALTH),  # medical instruments
    (3860, 3861, _IT),  # photographic equipment
    (3870, 3999, _CYCLICAL),  # watches, jewellery, toys
    (4000, 4599, _IND),  # transport
    (4600, 4699, _ENERGY),  # pipelines
    (4700, 4799, _IND),  # services of transport
    (4800, 4899, _COM),  # telephone, broadcasting, cable
    (4900, 4999, _UTIL),
    (4922, 4922, _ENERGY),  # transmission of gas
    (4950, 4959, _IND),  # refuse
    (5000, 5199, _IND),  # wholesale
    (5010, 5015, _CYCLICAL),  # of car parts
    (5045, 5045, _IT),  # of computers
    (5047, 5047, _HEALTH),  # of medical supplies
    (5065, 5065, _IT),  # of electronic parts
    (5122, 5122, _HEALTH),  # of drugs
    (5140, 5159, _STAPLES),  # of food
    (5171, 5172, _ENERGY),  # of petroleum
    (5180, 5182, _STAPLES),  # of drinks
    (5200, 5999, _CYCLICAL),  # retail, restaurants
    (5331, 5331, _STAPLES),  # variety stores
    (5400, 5499, _STAPLES),  # food stores
    (5912, 5912, _STAPLES),  # drug stores
    (6000, 6499, _FIN),
    (6324, 6324, _HEALTH),  # hospital and medical plans
    (6500, 6599, _ESTATE),
    (6600, 6799, _FIN),
    (6792, 6792, _ENERGY),  # oil royalties
    (6798, 6798, _ESTATE),  # investment trusts
    (7000, 7299, _CYCLICAL),  # hotels, personal services
    (7300, 7399, _IND),  # business services
    (7310, 7319, _COM),  # advertising
    (7320, 7323, _FIN),  # credit reporting
    (7370, 7370, _COM),  # interactive media
    (7371, 7379, _IT),  # software, data processing
    (7500, 7699, _CYCLICAL),  # rental and repair of cars
    (7800, 7849, _COM),  # films
    (7900, 7999, _CYCLICAL),  # amusement
    (8000, 8099, _HEALTH),  # care
    (8200, 8299, _CYCLICAL),  # education
    (8300, 8399, _HEALTH),  # social services
    (8700, 8799, _IND),  # engineering, management
    (8731, 8731, _HEALTH),  # research
)
