using Holdfast.Bitcask.Hints;
using Holdfast.Log;

namespace Holdfast.Bitcask.Opening;

/// <summary>Reads segments that have no hints, in pieces that several threads share.</summary>
/// <remarks>
/// A piece begins behind a frame that was found valid by its CRC alone. It counts if reading the piece before ends just
/// there; else it is read again from where that ended. So the same is found as by reading the segment in one go.
/// </remarks>
/// <param name="seed">Of the hash.</param>
/// <param name="degree">How many threads, 1 or more.</param>
/// <param name="minPieceBytes">What is not worth cutting.</param>
internal sealed class PieceScan(ulong seed, int degree, long minPieceBytes)
{
    /// <summary>The least piece for which a thread more is worth its while.</summary>
    public const long DefaultMinPieceBytes = 16 << 20;

    // So the last pieces keep threads waiting for one eighth of the time at most.
    private const int PiecesPerThread = 4;

    private readonly List<Piece> pieces = [];

    /// <summary>Reads some segments.</summary>
    /// <param name="segments">Sealed.</param>
    /// <param name="found">Told of each of them, with what was found and the damage that was met.</param>
    /// <remarks>When it throws, nothing is the caller's but what <paramref name="found"/> was told of.</remarks>
    public void Run(IReadOnlyList<LogSegment> segments, Action<LogSegment, ScannedHints, IReadOnlyList<LogDamage>> found)
    {
        Cut(segments);
        int given = 0;
        try
        {
            int next = -1;
            OnThreads.Run(Math.Clamp(pieces.Count, 1, degree), _ =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < pieces.Count;) pieces[i].Read(seed);
            });
            while (given < pieces.Count)
            {
                int count = Join(given);
                List<Piece> joined = pieces.GetRange(given, count);
                given += count;
                LogSegment segment = joined[0].Segment;
                found(
                    segment,
                    new ScannedHints(segment.Number, joined.ConvertAll(static piece => piece.Found!)),
                    [.. joined.SelectMany(static piece => piece.Damages)]);
            }
        }
        catch
        {
            for (int i = given; i < pieces.Count; i++) pieces[i].Found?.Dispose();
            throw;
        }
    }

    private void Cut(IReadOnlyList<LogSegment> segments)
    {
        long total = 0;
        foreach (LogSegment segment in segments) total += segment.Length;
        long pieceBytes = degree == 1 ? long.MaxValue : Math.Max(minPieceBytes, total / (degree * PiecesPerThread));
        foreach (LogSegment segment in segments)
        {
            long count = Math.Max(1, (segment.Length + (pieceBytes / 2)) / pieceBytes);
            long from = 0;
            for (long i = 1; i < count; i++)
            {
                long cut = segment.FindCut(i * segment.Length / count);
                if (cut <= from) continue;
                pieces.Add(new Piece(segment, from, cut));
                from = cut;
            }

            pieces.Add(new Piece(segment, from, long.MaxValue));
        }
    }

    // Makes sure that the pieces of a segment follow one another, and returns how many it has.
    private int Join(int first)
    {
        int count = 1;
        for (; first + count < pieces.Count && pieces[first + count].Segment == pieces[first].Segment; count++)
        {
            Piece before = pieces[first + count - 1], piece = pieces[first + count];
            if (before.End != piece.From) piece.ReadAgain(before.End, seed);
        }

        return count;
    }

    private sealed class Piece(LogSegment segment, long from, long to)
    {
        public LogSegment Segment => segment;

        public long From => from;

        /// <summary>Where the next piece has to begin.</summary>
        public long End { get; private set; }

        public ScannedPiece? Found { get; private set; }

        public IReadOnlyList<LogDamage> Damages { get; private set; } = [];

        public void Read(ulong seed)
        {
            ScannedPiece found = Found = new ScannedPiece(Math.Min(to, segment.Length) - from);
            Damages = segment.ScanPiece(from, to, (first, frames) => found.AddAll(first, frames, seed), out long end);
            End = end;
        }

        public void ReadAgain(long start, ulong seed)
        {
            Found!.Dispose();
            Found = null;
            from = start;
            Read(seed);
        }
    }
}
