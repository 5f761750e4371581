/** What makes a feed a podcast: the keys that Apple's directory requires. */
import { z } from 'zod';
import { pictureAddress } from './values.ts';

/** Apple's categories, each with those below it. Every name occurs once. */
const CATEGORIES = `
Arts: Books, Design, Fashion & Beauty, Food, Performing Arts, Visual Arts; Business: Careers, Entrepreneurship,
Investing, Management, Marketing, Non-Profit; Comedy: Comedy Interviews, Improv, Stand-Up; Education: Courses, How To,
Language Learning, Self-Improvement; Fiction: Comedy Fiction, Drama, Science Fiction; Government; Health & Fitness:
Alternative Health, Fitness, Medicine, Mental Health, Nutrition, Sexuality; History; Kids & Family: Education for Kids,
Parenting, Pets & Animals, Stories for Kids; Leisure: Animation & Manga, Automotive, Aviation, Crafts, Games, Hobbies,
Home & Garden, Video Games; Music: Music Commentary, Music History, Music Interviews; News: Business News, Daily News,
Entertainment News, News Commentary, Politics, Sports News, Tech News; Religion & Spirituality: Buddhism, Christianity,
Hinduism, Islam, Judaism, Religion, Spirituality; Science: Astronomy, Chemistry, Earth Sciences, Life Sciences,
Mathematics, Natural Sciences, Nature, Physics, Social Sciences; Society & Culture: Documentary, Personal Journals,
Philosophy, Places & Travel, Relationships; Sports: Baseball, Basketball, Cricket, Fantasy Sports, Football, Golf,
Hockey, Rugby, Running, Soccer, Swimming, Tennis, Volleyball, Wilderness, Wrestling; Technology; True Crime; TV & Film:
After Shows, Film History, Film Interviews, Film Reviews, TV Reviews`;

/** `['News', 'Daily News']` by `Daily News`. */
export const PODCAST_CATEGORIES: ReadonlyMap<string, readonly string[]> = new Map(
  CATEGORIES.split(';').flatMap((group): [string, string[]][] => {
    const [name = '', ...below] = group.trim().split(/[:,]\s+/);
    return [[name, [name]], ...below.map((one): [string, string[]] => [one, [name, one]])];
  }),
);

export const podcast = z.strictObject({
  category: z
    .string()
    .refine((name) => PODCAST_CATEGORIES.has(name), 'must be a category of Apple Podcasts, such as News or Daily News')
    .describe('A category of Apple Podcasts, such as News, or one below it, such as Daily News.'),
  image: pictureAddress.describe(
    'Cover of the podcast: a square JPEG or PNG of 1400 to 3000 pixels, a file in paths.media, or an address.',
  ),
  explicit: z.boolean().default(false).describe('Whether the podcast is not for children.'),
});
