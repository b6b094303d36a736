#!/bin/sh
# Estimates the transform: train.sh MODEL WAVS TRANSCRIPT IDS DICTIONARY WORK OUT
#   MODEL       the en-us folder of the pocketsphinx package (read only)
#   WAVS        folder of telephone speech (telephone.py), one WAV for each line of IDS
#   TRANSCRIPT  lines "<s> the words </s> (id)", in the order of IDS
#   DICTIONARY  pronunciations of all words in TRANSCRIPT
#   WORK        a new folder; OUT: the transform
# Needs Debian's sphinxtrain, sphinxbase-utils and pocketsphinx, and numpy for the two Python programs beside this.
set -eu
model=$1 wavs=$2 transcript=$3 ids=$4 dictionary=$5 work=$6 out=$7
here=$(dirname "$0")
tools=/usr/lib/sphinxtrain
mkdir -p "$work/features" "$work/model" "$work/sums1" "$work/sums2" "$work/model2"
cp "$model"/* "$work/model/"
pocketsphinx_mdef_convert -text "$model/mdef" "$work/mdef.txt"
python3 "$here/mixture_weights.py" "$model/sendump" "$work/model/mixture_weights"
sphinx_fe -lowerf 130 -upperf 6800 -nfilt 25 -transform dct -lifter 22 -remove_noise yes -remove_silence no \
    -samprate 16000 -c "$ids" -di "$wavs" -do "$work/features" -ei wav -eo mfc -mswav yes

# estimate MEANS_FOLDER SUMS_FOLDER TRANSFORM
estimate() {
    "$tools/bw" -hmmdir "$work/model" -moddeffn "$work/mdef.txt" -meanfn "$1/means" \
        -varfn "$work/model/variances" -mixwfn "$work/model/mixture_weights" \
        -tmatfn "$work/model/transition_matrices" -ts2cbfn .ptm. -feat 1s_c_d_dd -svspec 0-12/13-25/26-38 \
        -cmn batch -agc none -dictfn "$dictionary" -fdictfn "$model/noisedict" -ctlfn "$ids" -lsnfn "$transcript" \
        -cepdir "$work/features" -cepext mfc -accumdir "$2"
    "$tools/mllr_solve" -meanfn "$1/means" -varfn "$work/model/variances" -accumdir "$2" -outmllrfn "$3"
}

estimate "$work/model" "$work/sums1" "$work/first"
"$tools/mllr_transform" -moddeffn "$work/mdef.txt" -inmeanfn "$work/model/means" -outmeanfn "$work/model2/means" \
    -mllrmat "$work/first"
estimate "$work/model2" "$work/sums2" "$work/second"
python3 "$here/compose.py" "$work/first" "$work/second" "$out"
